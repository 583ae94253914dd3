import * as Y from 'yjs'
import { readable } from './readable.js'

/** What a text or XML field shows (as a string), or a list field. Plain and cloneable. */
export type SharedValue = string | readonly unknown[]

/** By field, what its root type holds; fields whose type is empty are left out. */
export type SharedValues = Readonly<Record<string, SharedValue>>

/** Who writes nothing: while updates are applied the document must not think that its own id is used by others. */
const NOBODY = 0

/**
 * The document that updates make up, ready for writing as `client`. The id is set after loading: Yjs would take another one if
 * it met its own in what it loads (yjs-facts 5.2).
 *
 * @throws TidemarkError `corrupt`
 */
export function openDocument(updates: readonly Uint8Array[], client: number): Y.Doc {
  // A guid of its own would be drawn at random, for nobody.
  const doc = new Y.Doc({ guid: '' })
  readable(() => applyUpdates(doc, updates, client))
  return doc
}

/** Brings updates into a document that is open for writing as `client`, also such as were written under that id elsewhere. */
export function applyUpdates(
  doc: Y.Doc,
  updates: readonly Uint8Array[],
  client: number,
  origin?: unknown,
): void {
  doc.clientID = NOBODY
  try {
    doc.transact(() => {
      for (const update of updates) Y.applyUpdate(doc, update, origin)
    }, origin)
  } finally {
    doc.clientID = client
  }
}

/** The clock that the next item of `client` will have in a document. */
export function clockOf({ store }: Y.Doc, client: number): number {
  return Y.getState(store, client)
}

/** Runs `change` in one transaction and returns the update that it made, or undefined when it changed nothing. */
export function captureUpdate(doc: Y.Doc, change: () => void): Uint8Array | undefined {
  const updates: Uint8Array[] = []
  const collect = (update: Uint8Array): void => void updates.push(update)
  doc.on('update', collect)
  try {
    doc.transact(change)
  } finally {
    doc.off('update', collect)
  }
  return updates.length === 0
    ? undefined
    : updates.length === 1
      ? updates[0]
      : Y.mergeUpdates(updates)
}

/**
 * Reads the root types of a document whose names `isShared` accepts. What a root is shows in what it holds: characters are a
 * text, elements are XML, values are a list; on the wire a root has no type.
 */
export function readShared(
  doc: Y.Doc,
  isShared: (root: string) => boolean,
): SharedValues | undefined {
  let values: Record<string, SharedValue> | undefined
  for (const [root, type] of doc.share) {
    if (!isShared(root)) continue
    const value = sharedValueOf(type)
    if (value === undefined) continue
    values ??= {}
    values[root] = value
  }
  return values
}

function sharedValueOf({ _start }: Pick<Y.XmlFragment, '_start'>): SharedValue | undefined {
  const parts: Y.Item['content'][] = []
  for (let item = _start; item !== null; item = item.right) {
    if (!item.deleted && item.countable) parts.push(item.content)
  }
  const [first] = parts
  if (first === undefined) return undefined
  if (first instanceof Y.ContentString || first instanceof Y.ContentEmbed) return textOf(parts)
  if (first instanceof Y.ContentType) return xmlOf(parts)
  return parts.flatMap((content) => (content instanceof Y.ContentAny ? content.arr : []))
}

function textOf(parts: readonly Y.Item['content'][]): string {
  let text = ''
  for (const content of parts) if (content instanceof Y.ContentString) text += content.str
  return text
}

function xmlOf(parts: readonly Y.Item['content'][]): string {
  let xml = ''
  for (const content of parts) {
    if (!(content instanceof Y.ContentType)) continue
    const { type } = content
    if (type instanceof Y.XmlElement || type instanceof Y.XmlText) xml += type.toString()
  }
  return xml
}

/** Whether a document's bytes hold everything that an update says: its items and its deletions. */
export function containsUpdate(state: Uint8Array, update: Uint8Array): boolean {
  const clocks = Y.decodeStateVector(Y.encodeStateVectorFromUpdate(state))
  const { structs, ds } = Y.decodeUpdate(update)
  for (const { id, length } of structs) {
    if ((clocks.get(id.client) ?? 0) < id.clock + length) return false
  }
  if (ds.clients.size === 0) return true
  const known = Y.decodeUpdate(state).ds
  for (const [client, ranges] of ds.clients) {
    const deleted = [...(known.clients.get(client) ?? [])].sort((a, b) => a.clock - b.clock)
    for (const { clock, len } of ranges) {
      if (!covers(deleted, clock, clock + len)) return false
    }
  }
  return true
}

function covers(
  ranges: readonly { readonly clock: number; readonly len: number }[],
  start: number,
  end: number,
): boolean {
  let reached = start
  for (const { clock, len } of ranges) {
    if (clock <= reached && reached < clock + len) reached = clock + len
    if (reached >= end) return true
  }
  return reached >= end
}
