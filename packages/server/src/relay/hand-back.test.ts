import { decodeContent, mergeUpdates, viewOf } from '@tidemark/core/entity'
import type { OperationPart, RelayMessage } from '@tidemark/core/protocol'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createMemoryDisk } from '../storage/index.js'
import { DEFAULT_LIMITS } from './limits.js'
import {
  createTestRelay,
  settled,
  type TestConnection,
  type TestRelay,
} from './test-relay.test-support.js'
import { createWriter, type Writer } from './writer.test-support.js'

/** When the virtual clock of a test relay begins. */
const START = 1_700_000_000_000

/** A relay whose database has just begun a new life, empty. */
const createRestored = (): TestRelay =>
  createTestRelay({ disk: createMemoryDisk('epoch-2', START) })

const ADA = { user: 'ada', replica: 'replica-a', client: 1 } as const
const BO = { user: 'bo', replica: 'replica-b', client: 2 } as const

let ids = 0

async function handBack(
  connection: TestConnection,
  ...parts: readonly OperationPart[]
): Promise<readonly RelayMessage[]> {
  ids += 1
  connection.send({ type: 'handBack', channel: 1, operation: { id: `back-${ids}`, parts } })
  await settled()
  return connection.take()
}

async function valuesOf({ storage }: TestRelay, id: string): Promise<unknown> {
  const page = await storage.entitiesSince('team', 0, { maxEntities: 100, maxBytes: 1e9 })
  const entity = page.entities.find(({ ref }) => ref.id === id)
  return entity && viewOf(decodeContent(mergeUpdates(entity.log))).values
}

/** A card that ada made and bo changed, as one document. */
function written(): { readonly ada: Writer; readonly bo: Writer; readonly card: OperationPart } {
  const [ada, bo] = [createWriter(ADA), createWriter(BO)]
  const first = ada.part('one', { title: 'Hi', done: false })
  bo.learn('one', first.update)
  const second = bo.part('one', { done: true })
  ada.learn('one', second.update)
  const update = mergeUpdates([first.update, second.update])
  return { ada, bo, card: { ...first, sequence: 2, lastModified: second.lastModified, update } }
}

/** A document with a text, of which some is deleted, as an editor leaves it. */
function typed(client: number): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = client
  doc.getText('notes').insert(0, 'Hello world')
  doc.getText('notes').delete(2, 4)
  doc.getText('notes').insert(3, '!')
  return Y.encodeStateAsUpdate(doc)
}

describe('what is handed back', () => {
  it('[L22] [BAK-2] is there again, whoever wrote it, and everybody else is told', async () => {
    const relay = createRestored()
    const bos = await relay.join({ ...BO, since: 0 })
    const others = await relay.join({ user: 'cy', replica: 'replica-c', since: 0 })
    others.take()
    const { card } = written()
    expect(await handBack(bos, card)).toMatchObject([{ type: 'ack', sequence: 1 }])
    expect(await valuesOf(relay, 'one')).toMatchObject({ title: 'Hi', done: true })
    expect(others.take()).toMatchObject([{ type: 'changes', sequence: 1 }])
  })

  it('[L19] leaves client ids to who signed with them, and the others to nobody', async () => {
    const relay = createRestored()
    const cys = await relay.join({ user: 'cy', replica: 'replica-c' })
    const { ada, card } = written()
    await handBack(cys, { ...card, update: mergeUpdates([card.update, typed(77)]) })
    const { clients } = relay.disk.spaces.get('team')?.entities.get('cards/one')?.head ?? {}
    expect(clients?.get(1)).toMatchObject({ user: 'ada', replica: 'replica-a', clock: 2 })
    expect(clients?.get(2)).toMatchObject({ user: 'bo', replica: 'replica-b', clock: 1 })
    expect(clients?.get(77)).toMatchObject({ user: '', replica: '' })
    // She goes on where she was.
    const adas = await relay.join(ADA)
    adas.push(ada.write('one', { title: 'Ho' }))
    await settled()
    expect(adas.take()).toMatchObject([{ type: 'ack', sequence: 2 }])
    expect(await valuesOf(relay, 'one')).toMatchObject({ title: 'Ho' })
  })

  it('[L22] [CONV-3] by several devices is there once, whatever each of them had', async () => {
    const relay = createRestored()
    const { ada, bo, card } = written()
    const later = bo.part('one', { done: 'almost' })
    ada.learn('one', later.update)
    const last = ada.part('one', { title: 'Ha' })
    const [adas, bos] = [await relay.join(ADA), await relay.join(BO)]
    const all = mergeUpdates([card.update, later.update, last.update])
    for (const update of [mergeUpdates([card.update, later.update]), card.update, all])
      expect(await handBack(bos, { ...card, update })).toMatchObject([{ type: 'ack' }])
    expect(await handBack(adas, { ...card, update: all })).toMatchObject([{ type: 'ack' }])
    expect(await valuesOf(relay, 'one')).toMatchObject({ title: 'Ha', done: 'almost' })
  })

  it('of one id has its effect once [L10]', async () => {
    const relay = createRestored()
    const bos = await relay.join(BO)
    const operation = { id: 'back-once', parts: [written().card] }
    for (let time = 0; time < 2; time++) bos.send({ type: 'handBack', channel: 1, operation })
    await settled()
    expect(bos.take()).toMatchObject([
      { type: 'ack', sequence: 1 },
      { type: 'ack', sequence: 1 },
    ])
  })

  it('may be a document that was compacted, with text in it', async () => {
    const relay = createRestored()
    const bos = await relay.join(BO)
    const doc = new Y.Doc()
    Y.applyUpdate(doc, mergeUpdates([written().card.update, typed(77)]))
    const compacted = Y.encodeStateAsUpdate(doc)
    expect(await handBack(bos, { ...written().card, update: compacted })).toMatchObject([
      { type: 'ack' },
    ])
    const page = await relay.storage.entitiesSince('team', 0, { maxEntities: 9, maxBytes: 1e9 })
    const again = new Y.Doc()
    for (const { log } of page.entities) for (const update of log) Y.applyUpdate(again, update)
    expect(again.getText('notes').toString()).toBe('Hew!orld')
  })

  it('in a later life takes the place of an earlier one, and never the other way round [L23]', async () => {
    const relay = createRestored()
    const bos = await relay.join(BO)
    await handBack(bos, written().card)
    const anew = { ...createWriter(BO).part('one', { title: 'Anew' }), generation: '1' }
    expect(await handBack(bos, anew)).toMatchObject([{ type: 'ack' }])
    expect(await valuesOf(relay, 'one')).toEqual({ title: 'Anew' })
    expect(await handBack(bos, written().card)).toMatchObject([
      { type: 'reject', code: 'gone', retryable: false },
    ])
  })
})

describe('a hand-back is refused', () => {
  it('[SEC-4] where nothing was lost: long after the database began its life', async () => {
    const relay = createRestored()
    relay.clock.advance(DEFAULT_LIMITS.retention)
    const bos = await relay.join(BO)
    expect(await handBack(bos, written().card)).toMatchObject([
      { type: 'reject', code: 'forbidden', retryable: false },
    ])
    expect(relay.disk.spaces.size).toBe(0)
  })

  it('when something before it is missing, for now [L20]', async () => {
    const relay = createRestored()
    const bos = await relay.join(BO)
    const { bo, card } = written()
    const later = bo.part('one', { done: 'almost' })
    expect(await handBack(bos, later)).toMatchObject([
      { type: 'reject', code: 'gap', retryable: true },
    ])
    await handBack(bos, card)
    expect(await handBack(bos, later)).toMatchObject([{ type: 'ack' }])
  })

  it('[L7] while its times are ahead of the relay, for now', async () => {
    const relay = createRestored()
    const bos = await relay.join(BO)
    const { card } = written()
    const lastModified = (START + 2 * DEFAULT_LIMITS.maxClockDrift) * 1000
    expect(await handBack(bos, { ...card, lastModified })).toMatchObject([
      { type: 'reject', code: 'drift', retryable: true },
    ])
    relay.clock.advance(DEFAULT_LIMITS.maxClockDrift)
    expect(await handBack(bos, { ...card, lastModified })).toMatchObject([{ type: 'ack' }])
  })

  it.each<[string, (card: OperationPart) => Partial<OperationPart>]>([
    ['that is no update', () => ({ update: new Uint8Array([9, 9, 9]) })],
    ['with a root that nobody makes', () => ({ update: foreignRoot() })],
    ['in a generation that is none', () => ({ generation: 'x' })],
    ['that is cut', (card) => ({ update: card.update.slice(0, -3) })],
  ])('[SEC-2] %s, and leaves nothing behind', async (_, change) => {
    const relay = createRestored()
    const bos = await relay.join(BO)
    const { card } = written()
    expect(await handBack(bos, { ...card, ...change(card) })).toMatchObject([
      { type: 'reject', code: 'invalid', retryable: false },
    ])
    expect(relay.disk.spaces.size).toBe(0)
  })
})

describe('a damaged entity', () => {
  async function damaged(): Promise<{ relay: TestRelay; ada: Writer; parts: OperationPart[] }> {
    const relay = createTestRelay()
    const adas = await relay.join(ADA)
    const ada = createWriter(ADA)
    const parts = [ada.part('one', { title: 'Hi' }), ada.part('one', { title: 'Ho' })]
    for (const part of parts) adas.push(ada.operation(part))
    await settled()
    const [update] = relay.disk.spaces.get('team')?.entities.get('cards/one')?.updates ?? []
    if (update?.bytes[5] === undefined) throw new Error('there is nothing to damage')
    update.bytes[5] ^= 1
    return { relay, ada, parts }
  }

  it('[DUR-9] is whole again once somebody who has all of it hands it back', async () => {
    const { relay, parts } = await damaged()
    const bos = await relay.join(BO)
    const all = mergeUpdates(parts.map(({ update }) => update))
    const [part] = parts as [OperationPart]
    expect(await handBack(bos, { ...part, update: part.update })).toMatchObject([
      { type: 'reject', code: 'unavailable', retryable: true },
    ])
    expect(await handBack(bos, { ...part, update: all })).toMatchObject([{ type: 'ack' }])
    expect(await valuesOf(relay, 'one')).toEqual({ title: 'Ho' })
  })

  it('[DUR-9] does not open the door to others', async () => {
    const { relay } = await damaged()
    const bos = await relay.join(BO)
    const other = createWriter(ADA).part('two', { title: 'Forged' })
    expect(await handBack(bos, other)).toMatchObject([{ type: 'reject', code: 'forbidden' }])
  })
})

function foreignRoot(): Uint8Array {
  const doc = new Y.Doc()
  doc.getArray('f:zz').insert(0, [['title', 'forged', 1, 1, 'ada/replica-a/1']])
  return Y.encodeStateAsUpdate(doc)
}
