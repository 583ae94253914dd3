interface StoreCopy {
  readonly name: string
  readonly options: IDBObjectStoreParameters
  readonly indexes: readonly Pick<IDBIndex, 'name' | 'keyPath' | 'unique' | 'multiEntry'>[]
  readonly keys: readonly IDBValidKey[]
  readonly values: readonly unknown[]
}

/** Copies the database in whose name `from` stands to one in whose name `to` stands instead, whatever is in it. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const databases = await indexedDB.databases()
  const name = databases.map((info) => info.name ?? '').find((known) => known.includes(from))
  if (name === undefined) throw new Error(`There is no database of ${from}.`)
  const source = await done(indexedDB.open(name))
  const names = [...source.objectStoreNames]
  const transaction = source.transaction(names)
  const stores = await Promise.all(names.map((store) => readStore(transaction.objectStore(store))))
  const request = indexedDB.open(name.replace(from, to), source.version)
  // The transaction that makes the stores also fills them.
  request.onupgradeneeded = () => {
    for (const store of stores) writeStore(store, request.result)
  }
  const target = await done(request)
  target.close()
  source.close()
}

async function readStore(store: IDBObjectStore): Promise<StoreCopy> {
  const { name, keyPath, autoIncrement } = store
  const indexes = Array.from(store.indexNames, (index) => {
    const { name, keyPath, unique, multiEntry } = store.index(index)
    return { name, keyPath, unique, multiEntry }
  })
  const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())])
  return { name, options: { keyPath, autoIncrement }, indexes, keys, values }
}

function writeStore({ name, options, indexes, keys, values }: StoreCopy, into: IDBDatabase): void {
  const store = into.createObjectStore(name, options)
  for (const index of indexes) store.createIndex(index.name, index.keyPath, index)
  for (const [row, value] of values.entries()) {
    // A row that holds its own key takes no other.
    if (options.keyPath === null) store.put(value, keys[row])
    else store.put(value)
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
