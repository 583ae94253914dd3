import type * as Y from 'yjs'
import {
  clockOf,
  isFieldName,
  mergeUpdates,
  openDocument,
  readShared,
  type SharedValues,
} from '../entity/index.js'
import { TidemarkError } from '../errors.js'

/** The document of an entity while a transaction changes text, lists or XML in it. */
export interface DocumentDraft {
  readonly doc: Y.Doc
  /** Everything that was changed so far as one update; null when nothing was. */
  edit(): Uint8Array | null
  /** How many items that wrote. */
  readonly items: number
  shared(): SharedValues | undefined
  /** A point to go back to. */
  readonly mark: number
  /** Takes back what was changed since `mark`. Types that were handed out are of no use afterwards. */
  rewind(mark: number): void
  /** From here on every change is refused: it would be lost without a word. */
  end(): void
}

export function createDocumentDraft(updates: readonly Uint8Array[], client: number): DocumentDraft {
  const edits: Uint8Array[] = []
  let doc = open()
  const before = clockOf(doc, client)

  function open(): Y.Doc {
    const opened = openDocument([...updates, ...edits], client)
    opened.on('update', collect)
    return opened
  }

  function collect(update: Uint8Array): void {
    edits.push(update)
  }

  return {
    get doc() {
      return doc
    },
    edit: () => (edits.length === 0 ? null : mergeUpdates(edits)),
    get items() {
      return clockOf(doc, client) - before
    },
    shared: () => readShared(doc, isFieldName),
    get mark() {
      return edits.length
    },
    rewind(mark) {
      if (edits.length === mark) return
      edits.length = mark
      doc.off('update', collect)
      refuse(doc)
      doc = open()
    },
    end() {
      doc.off('update', collect)
      refuse(doc)
    },
  }
}

function refuse(doc: Y.Doc): void {
  doc.on('beforeTransaction', (transaction: Y.Transaction) => {
    if (!transaction.local) return
    throw new TidemarkError(
      'value-invalid',
      'A text, list or XML was changed after its update was over, where nothing is kept. Change it inside of update(), or use open() for an editor.',
    )
  })
}
