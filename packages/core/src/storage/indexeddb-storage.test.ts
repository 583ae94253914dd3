import 'fake-indexeddb/auto'
import { describeIndexedDbStorage, makeIndexedDbDevice } from './indexeddb-cases.test-support.js'
import { describeStorageContract } from './storage-contract.test-support.js'

describeStorageContract('IndexedDB (simulated)', makeIndexedDbDevice)
describeIndexedDbStorage('IndexedDB (simulated)')
