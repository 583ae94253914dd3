import type { Collections } from '../schema/index.js'
import { createIndexedDbStorage } from '../storage/index.js'
import { createBrowserPlatform } from './browser-platform.js'
import { createStoreOn, type StoreOptions, storeName } from './store.js'
import type { Store } from './types.js'

/**
 * A store in a browser: data in IndexedDB, one database a user and relay, shared by all tabs.
 *
 * @throws TidemarkError `value-invalid` for a user or space that isn't a name.
 */
export function createStore<C extends Collections>(options: StoreOptions<C>): Store<C> {
  return createStoreOn(options, createBrowserPlatform(), createIndexedDbStorage(storeName(options)))
}
