import { keymap } from '@codemirror/view'
import { basicSetup, EditorView } from 'codemirror'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import { IndexeddbPersistence } from 'y-indexeddb'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

/** What the page is asked for in its address. */
interface Wanted {
  readonly relay: string
  readonly room: string
  readonly name: string
  /** Whether the document is kept in the browser. */
  readonly persisted: boolean
}

/** What tests ask the page. */
export interface EditorPage {
  text(): string
  /** What the browser had kept. */
  kept(): string
  /** What the browser would have kept if the page were closed now. */
  stored(): Promise<string>
  /** Whether everything that the relay had has come. */
  isSynced(): boolean
  /** How the relay turned the page away for good. */
  refused(): { readonly code: number; readonly reason: string } | undefined
  disconnect(): void
  connect(): void
  /** Puts the cursor into the editor, so that others see it. */
  focus(): void
}

/** An app that knows nothing of Tidemark: a CodeMirror on a stock Yjs document, as their documentation says. */
async function open({ relay, room, name, persisted }: Wanted): Promise<EditorPage> {
  const doc = new Y.Doc()
  const body = doc.getText('body')
  if (persisted) await new IndexeddbPersistence(room, doc).whenSynced
  const kept = body.toString()
  const provider = new WebsocketProvider(`${relay}/yjs`, room, doc, { params: { user: name } })
  let refused: ReturnType<EditorPage['refused']>
  provider.on('closed', (close) => {
    refused = close
  })
  provider.awareness.setLocalStateField('user', { name, color: '#30bced', colorLight: '#30bced33' })
  const undoManager = new Y.UndoManager(body)
  const view = new EditorView({
    doc: body.toString(),
    parent: document.body,
    extensions: [
      keymap.of(yUndoManagerKeymap),
      basicSetup,
      yCollab(body, provider.awareness, { undoManager }),
    ],
  })
  return {
    text: () => view.state.doc.toString(),
    kept: () => kept,
    async stored() {
      const copy = new Y.Doc()
      const persistence = new IndexeddbPersistence(room, copy)
      await persistence.whenSynced
      const text = copy.getText('body').toString()
      await persistence.destroy()
      return text
    },
    isSynced: () => provider.synced,
    refused: () => refused,
    disconnect: () => provider.disconnect(),
    connect: () => provider.connect(),
    focus: () => view.focus(),
  }
}

const wanted = Object.fromEntries(new URLSearchParams(location.search))
void open({
  relay: wanted['relay'] ?? '',
  room: wanted['room'] ?? '',
  name: wanted['name'] ?? '',
  persisted: wanted['persisted'] === 'true',
}).then((page) => {
  Object.assign(window, { editor: page })
})
