import { collection, defineSchema, type Store, text } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import * as Y from 'yjs'
import { inTasks, verify } from './tasks.js'

/** Milliseconds for all letters. */
export interface Typing {
  /** Typed one by one at the end of what is there. */
  readonly letters: number
}

const collections = { notes: collection({ body: text() }) }
const schema = defineSchema({ version: 1, collections })
const TEXT = 'What was written before, for some pages. '.repeat(250)
const LETTER = 'x'
/** As fast as keys arrive: what listens has its turn after each. */
const PER_TASK = 1

/** Each letter is an operation of its own. */
export async function typeByUpdate({ letters }: Typing): Promise<number> {
  await updateLetters(await openNote(), 50)
  return updateLetters(await openNote(), letters)
}

async function updateLetters(store: NoteStore, count: number): Promise<number> {
  const start = performance.now()
  let last = Promise.resolve()
  await inTasks(count, PER_TASK, (index) => {
    const handle = store.notes.update('note', (draft) => {
      draft.body.insert(TEXT.length + index, LETTER)
    })
    last = handle.when('saved')
  })
  await last
  const time = performance.now() - start
  check(store.notes.get('note')?.body, count)
  await store.destroy({ force: true })
  return time
}

/** Into the document that an editor has open; until an operation was made of the last letter. */
export async function typeOpen({ letters }: Typing): Promise<number> {
  await typeLetters(await openNote(), 50)
  return typeLetters(await openNote(), letters)
}

async function typeLetters(store: NoteStore, count: number): Promise<number> {
  const note = store.notes.open('note')
  const body = note.text('body')
  const start = performance.now()
  await inTasks(count, PER_TASK, (index) => body.insert(TEXT.length + index, LETTER))
  note.flush()
  const time = performance.now() - start
  check(store.notes.get('note')?.body, count)
  note.close()
  await store.destroy({ force: true })
  return time
}

/** Into a text with a listener for updates, which are not kept. */
export async function typeInYjs({ letters }: Typing): Promise<number> {
  await typeYLetters(50)
  return typeYLetters(letters)
}

async function typeYLetters(count: number): Promise<number> {
  const doc = new Y.Doc()
  const body = doc.getText('body')
  body.insert(0, TEXT)
  let updates = 0
  doc.on('update', () => {
    updates += 1
  })
  const start = performance.now()
  await inTasks(count, PER_TASK, (index) => body.insert(TEXT.length + index, LETTER))
  const time = performance.now() - start
  verify(updates === count, `Yjs made ${updates} updates`)
  check(body.toString(), count)
  return time
}

type NoteStore = Store<typeof collections>

/** A store with one note, some pages long. */
async function openNote(): Promise<NoteStore> {
  const store = createStore({ schema, user: 'author' })
  await store.ready
  const { when } = store.notes.insert({ id: 'note', body: TEXT })
  await when('saved')
  return store
}

function check(body: string | undefined, count: number): void {
  const length = body?.length ?? 0
  verify(length === TEXT.length + count, `the text has ${length} letters`)
}
