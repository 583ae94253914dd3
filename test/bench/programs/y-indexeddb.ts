import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'
import { COUNT, fillYDoc } from './items.js'
import { updateYItems, type WriteTimes, warmUpYjs } from './writes.js'

interface SavedDoc {
  readonly doc: Y.Doc
  /** Resolves when everything that was written before is in the database. */
  flush(): Promise<void>
  close(): Promise<void>
}

export async function openYIndexedDb(name: string): Promise<SavedDoc> {
  const doc = new Y.Doc()
  const persistence = new IndexeddbPersistence(name, doc)
  await persistence.whenSynced
  return {
    doc,
    // It tells nobody when a write is done, but a transaction that reads waits for those before it that write.
    flush: () =>
      new Promise((resolve, reject) => {
        if (persistence.db === null) throw new Error('y-indexeddb has no database.')
        const request = persistence.db.transaction('updates').objectStore('updates').count()
        request.onsuccess = () => resolve()
        request.onerror = () => reject(request.error)
      }),
    close: () => persistence.destroy(),
  }
}

/** Keeps a document with all items, as one stored update. */
export async function saveYItems(name: string): Promise<void> {
  const { doc, flush, close } = await openYIndexedDb(name)
  fillYDoc(doc)
  await flush()
  await close()
}

/** The writes of `updateItems` on a document that is kept; `saved` when all of them are in the database. */
export async function updateSavedYItems(name: string): Promise<WriteTimes> {
  await warmUpYjs()
  const { doc, flush, close } = await openYIndexedDb(name)
  const { shown } = await updateYItems(doc, COUNT)
  const start = performance.now()
  await flush()
  const saved = shown + performance.now() - start
  await close()
  return { shown, saved }
}
