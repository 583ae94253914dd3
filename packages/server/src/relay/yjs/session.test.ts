import { decodeContent, mergeUpdates, registerRoot, viewOf } from '@tidemark/core/entity'
import { beforeEach, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createMemoryDisk } from '../../storage/index.js'
import { DEFAULT_LIMITS } from '../limits.js'
import { isPinned, STOCK_REPLICA } from '../pins.js'
import {
  createGate,
  createTestRelay,
  settled,
  type TestRelay,
  type TestRelayOptions,
} from '../test-relay.test-support.js'
import { createWriter } from '../writer.test-support.js'
import { YJS_CLOSE_CODES } from './close-codes.js'
import {
  connectStock,
  type StockConnection,
  type StockOptions,
  step2Of,
} from './stock-connection.test-support.js'

let relay: TestRelay

beforeEach(() => {
  relay = createTestRelay()
})

async function join(
  options: StockOptions & { readonly on?: TestRelay } = {},
): Promise<StockConnection> {
  const connection = connectStock(options.on ?? relay, options)
  connection.sync()
  await settled()
  return connection
}

function entity({ disk }: TestRelay = relay) {
  return disk.spaces.get('team')?.entities.get('cards/one')
}

function operations(): number {
  return relay.disk.spaces.get('team')?.operations.size ?? 0
}

function bodyOf(on: TestRelay = relay): unknown {
  const known = entity(on)
  const rows = [known?.snapshot, ...(known?.updates ?? [])]
  const bytes = rows.flatMap((row) => row?.bytes ?? [])
  return bytes.length === 0
    ? undefined
    : viewOf(decodeContent(mergeUpdates(bytes))).shared?.['body']
}

/** Everything of a document, written by a client that nobody knows. */
function updateOf(write: (doc: Y.Doc) => void): Uint8Array {
  const doc = new Y.Doc()
  write(doc)
  return Y.encodeStateAsUpdate(doc)
}

describe('what a stock client writes', () => {
  it('[L24] [L6] [L19] is an operation with an id, a version, and client ids of its user', async () => {
    const reader = await relay.join({ since: 0 })
    const bo = await join()
    bo.doc.getText('body').insert(0, 'Ebb')
    await settled()
    const [changes] = reader.take().filter(({ type }) => type === 'changes')
    expect(changes).toMatchObject({
      sequence: 1,
      operation: {
        parts: [{ collection: 'cards', id: 'one', kind: 'create', generation: '0', sequence: 1 }],
      },
    })
    expect(entity()?.head).toMatchObject({
      versionSequence: 1,
      lastModified: relay.clock.now() * 1000,
    })
    expect(entity()?.head?.clients.get(bo.doc.clientID)).toMatchObject({
      user: 'bo',
      replica: STOCK_REPLICA,
    })
    bo.doc.getText('body').insert(3, '!')
    await settled()
    // The relay's clock stands still: a later version is later all the same.
    expect(entity()?.head).toMatchObject({
      versionSequence: 2,
      lastModified: relay.clock.now() * 1000 + 1,
    })
    expect(bodyOf()).toBe('Ebb!')
  })

  it('[L18] is told to nobody before it is committed, and what comes meanwhile is one operation', async () => {
    const gate = createGate()
    let isHeld = false
    relay = createTestRelay({ beforeCommit: () => (isHeld ? gate.wait() : Promise.resolve()) })
    const [bo, cy] = [await join(), await join({ user: 'cy' })]
    isHeld = true
    const body = bo.doc.getText('body')
    for (const letter of 'Ebbs') body.insert(body.length, letter)
    await settled()
    expect([cy.doc.getText('body').toString(), operations()]).toEqual(['', 0])
    isHeld = false
    await gate.release()
    await settled()
    expect([cy.doc.getText('body').toString(), operations()]).toEqual(['Ebbs', 2])
  })

  it('reaches other stock clients, and so does what Tidemark clients write', async () => {
    const writer = await relay.join()
    const { part, operation } = createWriter()
    writer.push(operation(part('one', { title: 'Tides' })))
    const [bo, cy] = [await join(), await join({ user: 'cy' })]
    bo.doc.getText('body').insert(0, 'Ebb')
    writer.push(operation(part('one', { title: 'Tides, again' })))
    await settled()
    expect(cy.doc.getText('body').toString()).toBe('Ebb')
    expect(Y.encodeStateVector(cy.doc)).toEqual(Y.encodeStateVector(bo.doc))
    expect(bo.doc.store.clients.has(1)).toBe(true)
  })

  it('[L10] makes nothing when the relay has it already', async () => {
    const bo = await join()
    bo.doc.getText('body').insert(0, 'Ebb and flow')
    bo.doc.getText('body').delete(3, 4)
    await settled()
    const before = operations()
    bo.sendBytes(step2Of(bo.doc))
    const again = await join({ doc: bo.doc })
    again.sendBytes(step2Of(bo.doc))
    await settled()
    expect([operations(), bo.closed, again.closed]).toEqual([before, undefined, undefined])
  })

  it('[L24] is stored without what is known, when two tabs bring the same', async () => {
    const offline = new Y.Doc()
    offline.getText('body').insert(0, 'written away')
    const [first, second] = [await join({ isHonest: false }), await join({ isHonest: false })]
    first.sendUpdate(Y.encodeStateAsUpdate(offline))
    offline.getText('body').insert(0, 'more ')
    second.sendUpdate(Y.encodeStateAsUpdate(offline))
    await settled()
    expect([first.closed, second.closed]).toEqual([undefined, undefined])
    expect(bodyOf()).toBe('more written away')
  })

  it('under several client ids, as after some loads without a network, is taken whatever their order', async () => {
    const offline = new Y.Doc()
    for (const client of [50, 10, 90, 30]) {
      offline.clientID = client
      const body = offline.getText('body')
      body.insert(Math.floor(body.length / 2), `<${client}>`)
    }
    const bo = await join({ doc: offline })
    expect(bo.closed).toBe(undefined)
    expect(bodyOf()).toBe(offline.getText('body').toString())
  })

  it('[F14] [S16] [L20] whose predecessor is missing is asked for instead of kept', async () => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    doc.getText('body').insert(0, 'one')
    doc.getText('body').insert(3, ' two')
    const bo = await join({ isHonest: false })
    const asked = () => bo.syncMessages.filter((type) => type === 0).length
    const before = asked()
    bo.sendUpdate(updates[1] ?? new Uint8Array())
    await settled()
    expect([asked(), operations(), bo.closed]).toEqual([before + 1, 0, undefined])
    bo.sendBytes(step2Of(doc))
    await settled()
    expect(bodyOf()).toBe('one two')
  })

  it('that refers to what nobody ever sends is refused in the end', async () => {
    const doc = new Y.Doc()
    doc.getText('body').insert(0, 'one')
    const before = Y.encodeStateVector(doc)
    doc.getText('body').insert(3, ' two')
    const bo = await join({ isHonest: false })
    for (let index = 0; index < 40; index++) bo.sendUpdate(Y.encodeStateAsUpdate(doc, before))
    await settled()
    expect([bo.closed?.code, operations()]).toEqual([YJS_CLOSE_CODES.refusedEdit, 0])
  })
})

const invalid: Readonly<Record<string, () => Uint8Array>> = {
  registers: () =>
    updateOf((doc) => {
      doc.getArray(registerRoot(doc.clientID)).push([['title', 'x', 1, 1, 'bo/yjs/1']])
    }),
  'registers of which nothing is left': () =>
    updateOf((doc) => {
      const array = doc.getArray(registerRoot(doc.clientID))
      array.push([['title', 'x', 1, 1, 'bo/yjs/1']])
      array.delete(0, 1)
    }),
  'a root that is no field': () => updateOf((doc) => doc.getText('f:other').insert(0, 'x')),
  'a root with keys': () => updateOf((doc) => doc.getMap('body').set('key', 'x')),
  'a nested document': () => updateOf((doc) => doc.getArray('steps').push([new Y.Doc()])),
  'a nested map': () => updateOf((doc) => doc.getArray('steps').push([new Y.Map()])),
  bytes: () => updateOf((doc) => doc.getArray('steps').push([Uint8Array.of(1)])),
  'a key that would be a prototype': () =>
    updateOf((doc) => doc.getText('body').insertEmbed(0, { prototype: 1 })),
  'nothing that can be read': () => Uint8Array.of(9, 9, 9),
  'an end that is missing': () =>
    updateOf((doc) => doc.getText('body').insert(0, 'x')).subarray(0, 9),
}

describe('a refused edit', () => {
  it.each(Object.keys(invalid))(
    '[S2] [F11] [L24] with %s closes the connection and stores nothing',
    async (name) => {
      const bo = await join({ isHonest: false })
      bo.sendUpdate(invalid[name]?.() ?? new Uint8Array())
      await settled()
      expect([bo.closed?.code, operations(), entity()]).toEqual([
        YJS_CLOSE_CODES.refusedEdit,
        0,
        undefined,
      ])
    },
  )

  it('[F10] of format v2 is never read as such', async () => {
    const doc = new Y.Doc()
    doc.getText('body').insert(0, 'x')
    const bo = await join({ isHonest: false })
    bo.sendUpdate(Y.encodeStateAsUpdateV2(doc))
    await settled()
    expect([operations(), entity()]).toEqual([0, undefined])
  })

  it('[L24] can neither delete registers nor be written next to them', async () => {
    const writer = await relay.join()
    writer.push(createWriter().write('one', { title: 'Tides' }))
    await settled()
    const bo = await join()
    bo.doc.getArray(registerRoot(1)).delete(0, 1)
    const cy = await join({ user: 'cy' })
    cy.doc.getArray(registerRoot(1)).insert(1, ['x'])
    await settled()
    expect([bo.closed?.code, cy.closed?.code]).toEqual([4422, 4422])
    expect(operations()).toBe(1)
  })

  it('[SEC-4] [L19] cannot be written under somebody else’s client id', async () => {
    const bo = await join()
    bo.doc.getText('body').insert(0, 'Ebb')
    await settled()
    const mallory = await join({ user: 'mallory' })
    mallory.doc.clientID = bo.doc.clientID
    mallory.doc.getText('body').insert(0, 'forged ')
    await settled()
    expect([mallory.closed?.code, bodyOf()]).toEqual([YJS_CLOSE_CODES.refusedEdit, 'Ebb'])
    bo.doc.getText('body').insert(3, '!')
    await settled()
    expect([bo.closed, bodyOf()]).toEqual([undefined, 'Ebb!'])
  })

  it('has its document refused until it is loaded anew', async () => {
    const doc = new Y.Doc()
    const bo = await join({ doc })
    doc.getText('body').insert(0, 'fine')
    doc.getMap('settings').set('theme', 'dark')
    await settled()
    expect(bo.closed?.code).toBe(4422)
    const again = await join({ doc })
    expect(again.closed).toMatchObject({ code: 4422, reason: expect.stringContaining('anew') })
    const loaded = await join({ doc: new Y.Doc() })
    loaded.doc.getText('body').insert(0, 'on ')
    await settled()
    expect([loaded.closed, String(bodyOf())]).toEqual([undefined, expect.stringContaining('on ')])
  })

  it('that took nothing but registers away is remembered by what the client says of itself', async () => {
    relay.clock.advance(1)
    const writer = await relay.join()
    writer.push(createWriter().write('one', { title: 'Tides' }))
    const doc = new Y.Doc()
    const bo = await join({ doc })
    bo.sendAwareness({ client: doc.clientID, clock: 1, json: '{}' })
    doc.getArray(registerRoot(1)).delete(0, 1)
    await settled()
    const again = await join({ doc, isHonest: false })
    again.sendAwareness({ client: doc.clientID, clock: 2, json: '{}' })
    expect([bo.closed?.code, again.closed?.code]).toEqual([4422, 4422])
  })
})

describe('a document', () => {
  it('is answered from what is committed, and only what is lacking', async () => {
    const bo = await join()
    bo.doc.getText('body').insert(0, 'Ebb')
    await settled()
    const cy = await join({ user: 'cy' })
    expect(cy.doc.getText('body').toString()).toBe('Ebb')
    expect(cy.syncMessages).toEqual([1, 0])
  })

  it('is not encoded again and again for one client', async () => {
    const bo = await join({ isHonest: false })
    for (let index = 0; index < 100; index++) bo.sync()
    const answers = () => bo.syncMessages.filter((type) => type === 1).length
    expect(answers()).toBe(8)
    for (let second = 0; second < 30; second++) relay.clock.advance(1_000)
    expect([answers(), bo.closed]).toEqual([9, undefined])
  })

  it('[L24] [L16] is never renewed once a stock client has seen it', async () => {
    relay = createTestRelay({ limits: { renewAboveClients: 1 } })
    const [ada, eve] = [await relay.join(), await relay.join({ replica: 'replica-e' })]
    const writers = [createWriter(), createWriter({ replica: 'replica-e', client: 2 })]
    const edit = (index: number) => {
      const [own, other] = index % 2 === 0 ? writers : [...writers].reverse()
      const part = own?.part('one', { title: `title ${index}` })
      if (own === undefined || part === undefined) return
      const connection = index % 2 === 0 ? ada : eve
      connection.push(own.operation(index < 2 ? { ...part, kind: 'create' } : part))
      other?.learn('one', part.update)
    }
    edit(0)
    edit(1)
    await settled()
    const bo = await join({ isHonest: false })
    bo.disconnect()
    for (let index = 2; index < 300; index++) {
      edit(index)
      await settled()
    }
    expect(entity()?.head).toMatchObject({ generation: '0', versionSequence: 300 })
    expect(entity()?.head?.snapshotBytes).toBeGreaterThan(0)
    expect(isPinned(entity()?.head?.clients ?? new Map())).toBe(true)
  })

  it('[L24] that somebody else makes is pinned before a waiting stock client sees it', async () => {
    const bo = await join()
    const seen: boolean[] = []
    bo.doc.on('update', () => seen.push(isPinned(entity()?.head?.clients ?? new Map())))
    const writer = await relay.join()
    writer.push(createWriter().write('one', { title: 'Tides' }))
    await settled()
    expect(seen).toEqual([true])
  })

  it('that is deleted is closed to everybody in it, and to newcomers', async () => {
    const writer = await relay.join()
    const { write } = createWriter()
    writer.push(write('one', { title: 'Tides' }))
    const bo = await join()
    bo.doc.getText('body').insert(0, 'Ebb')
    await settled()
    writer.push(write('one', { $deleted: 1 }))
    await settled()
    const cy = await join({ user: 'cy' })
    for (const { closed } of [bo, cy])
      expect(closed).toEqual({ code: YJS_CLOSE_CODES.gone, reason: 'The entity was deleted.' })
  })

  it('[L23] of another life is another one, with a name of its own', async () => {
    const writer = await relay.join()
    const { write } = createWriter()
    writer.push(write('one', { title: 'Tides' }))
    const bo = await join()
    bo.doc.getText('body').insert(0, 'of the first life')
    await settled()
    writer.push(write('one', { $deleted: 1 }))
    await settled()
    const anew = createWriter({ client: 5 })
    writer.push(anew.operation(anew.part('one', { title: 'Anew' }, { generation: '1' })))
    await settled()
    const old = await join({ doc: bo.doc })
    expect(old.closed).toEqual({ code: 4410, reason: 'The document is at team/cards/one/1.' })
    const cy = await join({ path: '/yjs/team/cards/one/1' })
    cy.doc.getText('body').insert(0, 'of the second')
    await settled()
    expect([cy.closed, bodyOf()]).toEqual([undefined, 'of the second'])
    const early = await join({ path: '/yjs/team/cards/other/1' })
    expect(early.closed?.code).toBe(4410)
  })

  it('[DUR-9] that is damaged is not opened', async () => {
    const bo = await join()
    bo.doc.getText('body').insert(0, 'Ebb')
    await settled()
    bo.disconnect()
    const bytes = entity()?.updates[0]?.bytes
    if (bytes?.[9] === undefined) throw new Error('There is nothing to damage.')
    bytes[9] ^= 4
    expect((await join()).closed?.code).toBe(YJS_CLOSE_CODES.overloaded)
  })
})

describe('after a restore', () => {
  const START = 1_700_000_000_000

  async function restored(text: Uint8Array): Promise<void> {
    relay = createTestRelay({ disk: createMemoryDisk('epoch-2', START) })
    const device = await relay.join()
    const part = createWriter().part('one', { title: 'Tides' })
    const update = mergeUpdates([part.update, text])
    device.send({
      type: 'handBack',
      channel: 1,
      operation: { id: 'back', parts: [{ ...part, update }] },
    })
    await settled()
  }

  it('[L22] [L24] a stock client brings what the relay has lost, and goes on', async () => {
    const doc = new Y.Doc()
    doc.getText('body').insert(0, 'Ebb')
    await restored(Y.encodeStateAsUpdate(doc))
    doc.getText('body').insert(3, ' and flow')
    const bo = await join({ doc })
    doc.getText('body').insert(0, 'On: ')
    await settled()
    expect([bo.closed, bodyOf()]).toEqual([undefined, 'On: Ebb and flow'])
    expect(entity()?.head?.clients.get(doc.clientID)).toMatchObject({ user: 'bo' })
  })

  it('[L24] what somebody else goes on with is still theirs', async () => {
    const doc = new Y.Doc()
    doc.getText('body').insert(0, 'Ebb')
    await restored(Y.encodeStateAsUpdate(doc))
    doc.getText('body').insert(3, ' and flow')
    await join({ doc })
    const copy = new Y.Doc()
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
    copy.clientID = doc.clientID
    copy.getText('body').insert(0, 'forged ')
    const mallory = await join({ doc: copy, user: 'mallory' })
    expect([mallory.closed?.code, bodyOf()]).toEqual([4422, 'Ebb and flow'])
  })
})

describe('a connection', () => {
  it.each([
    '/yjs/team/cards',
    '/yjs/team/cards/one/two',
    '/yjs/team/cards/one/0',
    '/yjs/team/cards/one/1/2',
    '/yjs/../cards/one',
    '/yjs/team/cards/%2e%2e',
    '/yjs/team/cards/..%2fone',
    '/yjs/team/cards/one%00',
    '/yjs/team/cards/%zz',
    `/yjs/team/cards/${'x'.repeat(200)}`,
    '/yjs/team/cards/ärger',
    '/yjs/team/__proto__/one',
  ])('[SEC-11] to %j is refused', async (path) => {
    const { closed } = await join({ path })
    expect(closed?.code).toBe(YJS_CLOSE_CODES.protocolViolation)
  })

  it('[SEC-1] of nobody is refused, and nothing of it is read', async () => {
    relay = createTestRelay({
      authenticate: ({ token }) => (token === 'secret' ? 'bo' : undefined),
    })
    const bad = await join({ token: 'wrong' })
    bad.doc.getText('body').insert(0, 'x')
    const good = await join({ token: 'secret', user: undefined })
    good.doc.getText('body').insert(0, 'Ebb')
    await settled()
    expect([bad.closed?.code, bodyOf()]).toEqual([YJS_CLOSE_CODES.unauthorized, 'Ebb'])
    expect(entity()?.head?.clients.get(good.doc.clientID)?.user).toBe('bo')
  })

  it('whose authentication never ends is closed, to be tried again', async () => {
    relay = createTestRelay({ authenticate: () => new Promise(() => {}) })
    const bo = await join()
    relay.clock.advance(DEFAULT_LIMITS.helloDeadline)
    expect(bo.closed?.code).toBe(YJS_CLOSE_CODES.greetingTimeout)
  })

  it.each([
    ['of an unknown kind', Uint8Array.of(7)],
    ['that is cut', Uint8Array.of(0, 0, 5, 1)],
    ['with something behind it', Uint8Array.of(3, 0)],
    ['with a state vector that is none', Uint8Array.of(0, 0, 2, 255, 255)],
    ['with an awareness state that is none', Uint8Array.of(1, 8, 1, 1, 1, 4, 91, 49, 93, 32)],
  ])('[SEC-1] that sends a frame %s is closed', async (_name, frame) => {
    const bo = await join()
    bo.sendBytes(frame)
    expect(bo.closed?.code).toBe(YJS_CLOSE_CODES.protocolViolation)
  })

  it('[S4] that sends too much at once is closed for good', async () => {
    const [bo, cy] = [await join({ isHonest: false }), await join({ isHonest: false })]
    bo.sendBytes(new Uint8Array(DEFAULT_LIMITS.maxFrameBytes + 1))
    cy.sendUpdate(
      updateOf((doc) =>
        doc.getText('body').insert(0, 'x'.repeat(DEFAULT_LIMITS.maxOperationBytes)),
      ),
    )
    await settled()
    for (const { closed } of [bo, cy]) expect(closed?.code).toBe(YJS_CLOSE_CODES.tooLarge)
    expect(operations()).toBe(0)
  })

  it('[S7] that reads too slowly is cut', async () => {
    const [bo, slow] = [await join(), await join({ user: 'slow' })]
    slow.bufferedBytes = DEFAULT_LIMITS.maxBufferedBytes + 1
    bo.doc.getText('body').insert(0, 'Ebb')
    await settled()
    expect([bo.closed, slow.closed?.code]).toEqual([undefined, YJS_CLOSE_CODES.slowReader])
  })

  it('[S9] is not read on while more waits than is allowed', async () => {
    const gate = createGate()
    let isHeld = false
    relay = createTestRelay({
      limits: { maxInFlightBytes: 100 },
      beforeCommit: () => (isHeld ? gate.wait() : Promise.resolve()),
    })
    const bo = await join()
    isHeld = true
    bo.doc.getText('body').insert(0, 'x'.repeat(300))
    await settled()
    expect(bo.isPaused).toBe(true)
    isHeld = false
    await gate.release()
    expect([bo.isPaused, bo.closed]).toEqual([false, undefined])
  })

  it('[F1] is told to try again when the storage fails, and loses nothing by it', async () => {
    const options: TestRelayOptions = {}
    let isFailing = false
    relay = createTestRelay({
      ...options,
      async beforeCommit() {
        if (isFailing) throw new Error('The disk is full.')
      },
    })
    const bo = await join()
    isFailing = true
    bo.doc.getText('body').insert(0, 'Ebb')
    await settled()
    expect(bo.closed?.code).toBe(YJS_CLOSE_CODES.overloaded)
    isFailing = false
    relay.clock.advance(1_000)
    await settled()
    await join({ doc: bo.doc })
    expect(bodyOf()).toBe('Ebb')
  })

  it('hears something every now and then, or it would take the relay for dead', async () => {
    const bo = await join()
    const before = bo.awarenessFrames
    for (let second = 0; second < 60; second++) relay.clock.advance(1_000)
    expect(bo.awarenessFrames - before).toBeGreaterThanOrEqual(3)
  })

  it('is closed when the relay stops, to come again', async () => {
    const bo = await join()
    bo.doc.getText('body').insert(0, 'Ebb')
    await relay.relay.stop()
    expect([bo.closed?.code, bodyOf()]).toEqual([1012, 'Ebb'])
  })
})
