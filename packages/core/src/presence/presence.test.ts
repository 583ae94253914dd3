import { describe, expect, expectTypeOf, it } from 'vitest'
import * as z from 'zod'
import { type ClientMessage, MAX_PRESENCE_BYTES, type Peer } from '../protocol/index.js'
import { createPresences, type Presences } from './presence.js'
import type { PresenceTabMessage } from './tab-message.js'
import type { Presence } from './types.js'

const microtasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const decode = (state: Uint8Array | undefined) => state && new TextDecoder().decode(state)
const peer = (id: string, state: string): Peer => ({
  id,
  user: id.split('/')[0] ?? '',
  state: new TextEncoder().encode(state),
})

/** One tab; time passes when the test says so. */
function createTab() {
  let now = 0
  const timers = new Map<object, { readonly at: number; readonly callback: () => void }>()
  const sent: ClientMessage[] = []
  const posted: PresenceTabMessage[] = []
  const presences: Presences = createPresences({
    user: 'ada',
    channel: 1,
    random: { bytes: (length) => new Uint8Array(length).fill(7) },
    clock: {
      now: () => now,
      schedule(callback, milliseconds) {
        const key = {}
        timers.set(key, { at: now + milliseconds, callback })
        return () => timers.delete(key)
      },
    },
    link: () => ({
      send: (message) => sent.push(message),
      post: (message) => posted.push(message),
    }),
  })
  return {
    presences,
    timers,
    posted,
    pass(milliseconds: number) {
      now += milliseconds
      for (const [key, { at, callback }] of [...timers]) {
        if (at > now || !timers.delete(key)) continue
        callback()
      }
    },
    /** What was sent since the last call. */
    take: () =>
      sent
        .splice(0)
        .map((message) =>
          message.type === 'presence'
            ? ['presence', message.topic, message.peer, decode(message.state)]
            : [message.type, 'topic' in message && message.topic],
        ),
    told: (all: boolean, ...peers: readonly Peer[]) =>
      presences.receive({ type: 'presence', channel: 1, topic: '', all, peers }),
  }
}

const NAME = '777777777777'

describe('a presence', () => {
  it('costs nothing until it is used: no timer, no message, no random number', () => {
    const { presences, timers, take, posted } = createTab()
    presences.up()
    const here = presences.of('')
    expect(here.current).toEqual({ peers: [], isLive: false })
    expect([timers.size, take(), posted]).toEqual([0, [], []])
  })

  it('joins with the first subscription or state, sends the last state of 50 ms, and leaves with the last of both', () => {
    const { presences, take, pass, timers } = createTab()
    presences.up()
    const here = presences.of<number>('cards/c1')
    const stop = here.subscribe(() => undefined)
    pass(50)
    expect(take()).toEqual([
      ['join', 'cards/c1'],
      ['presence', 'cards/c1', NAME, ''],
    ])
    for (let move = 0; move <= 100; move++) here.set(move)
    expect(take()).toEqual([])
    pass(50)
    expect(take()).toEqual([['presence', 'cards/c1', NAME, '100']])
    here.set(100)
    pass(50)
    expect(take()).toEqual([])
    stop()
    pass(50)
    expect(take()).toEqual([])
    here.clear()
    pass(50)
    expect(take()).toEqual([['leave', 'cards/c1']])
    pass(60_000)
    expect([timers.size, take()]).toEqual([0, []])
  })

  it('says nothing when it is left and taken up again at once, as React does', () => {
    const { presences, take, pass } = createTab()
    presences.up()
    const here = presences.of('')
    const mount = () => {
      const stop = here.subscribe(() => undefined)
      here.set('here')
      return () => {
        stop()
        here.clear()
      }
    }
    mount()
    pass(50)
    expect(take()).toHaveLength(2)
    mount()()
    mount()
    pass(50)
    expect(take()).toEqual([])
  })

  it('says its state again every 30 s, or the relay would take it for dead', () => {
    const { presences, take, pass } = createTab()
    presences.up()
    presences.of('').set(1)
    pass(50)
    take()
    for (let round = 0; round < 3; round++) {
      pass(30_000)
      expect(take()).toEqual([['presence', '', NAME, '1']])
    }
  })

  it('shows this tab first and at once, then the others; what stays the same stays the same object', async () => {
    const { presences, told, pass } = createTab()
    presences.up()
    const here = presences.of<{ readonly at: number }>('')
    const views: unknown[] = []
    here.subscribe((view) => views.push(view))
    here.set({ at: 1 })
    expect(here.current).toEqual({
      peers: [{ id: `ada/${NAME}`, user: 'ada', state: { at: 1 }, isSelf: true }],
      isLive: false,
    })
    pass(50)
    // What the relay knows of this tab is older than what this tab knows.
    told(
      true,
      peer(`ada/${NAME}`, '{"at":0}'),
      peer('bob/x', '{"at":2}'),
      peer('eve/y', '{"at":3}'),
    )
    await microtasks()
    const before = here.current
    expect(before.isLive).toBe(true)
    expect(before.peers.map(({ id, state }) => [id, state.at])).toEqual([
      [`ada/${NAME}`, 1],
      ['bob/x', 2],
      ['eve/y', 3],
    ])
    expect(Object.isFrozen(before) && Object.isFrozen(before.peers)).toBe(true)
    expect(before.peers.every((one) => Object.isFrozen(one) && Object.isFrozen(one.state))).toBe(
      true,
    )
    expect(views).toEqual([before])

    told(true, peer('bob/x', '{"at":2}'), peer('eve/y', '{"at":3}'))
    told(false)
    here.set({ at: 1 })
    await microtasks()
    expect(here.current).toBe(before)
    expect(views).toHaveLength(1)

    told(false, peer('eve/y', '{"at":4}'))
    told(false, peer('bob/x', ''))
    await microtasks()
    expect(here.current.peers[0]).toBe(before.peers[0])
    expect(here.current.peers.map(({ id }) => id)).toEqual([`ada/${NAME}`, 'eve/y'])
    expect(views).toHaveLength(2)
  })

  it('offline marks what it shows, keeps its own state, and says it again when it is back', async () => {
    const { presences, told, take, pass } = createTab()
    presences.up()
    const here = presences.of('')
    here.subscribe(() => undefined)
    here.set('me')
    pass(50)
    told(true, peer('bob/x', '"bob"'))
    presences.down()
    expect(here.current.isLive).toBe(false)
    expect(here.current.peers.map(({ state }) => state)).toEqual(['me', 'bob'])
    here.set('me too')
    pass(50)
    take()
    presences.up()
    expect(take()).toEqual([
      ['join', ''],
      ['presence', '', NAME, '"me too"'],
    ])
    told(true)
    expect(here.current).toMatchObject({ peers: [{ state: 'me too' }], isLive: true })
  })

  it('tells at once that the page goes, and comes back with it', () => {
    const { presences, take, pass } = createTab()
    presences.up()
    presences.of('').set(1)
    pass(50)
    take()
    presences.of('').set(2)
    presences.show(false)
    expect(take()).toEqual([['leave', '']])
    pass(50)
    expect(take()).toEqual([])
    presences.show(true)
    expect(take()).toEqual([
      ['join', ''],
      ['presence', '', NAME, '2'],
    ])
  })

  it('of a topic is one for this tab: the latest of those that were set counts, until it is taken back', () => {
    const { presences, take, pass } = createTab()
    presences.up()
    const [one, two] = [presences.of(''), presences.of('')]
    one.set('one')
    two.set('two')
    pass(50)
    expect(take().at(-1)).toEqual(['presence', '', NAME, '"two"'])
    expect(one.current.peers).toMatchObject([{ state: 'two' }])
    two.leave()
    pass(50)
    expect(take()).toEqual([['presence', '', NAME, '"one"']])
  })

  it('ends with the store: nothing is sent any more, and nothing throws', () => {
    const { presences, take, pass, timers } = createTab()
    presences.up()
    const here = presences.of('')
    here.set(1)
    pass(50)
    take()
    presences.close()
    expect(take()).toEqual([['leave', '']])
    here.set(2)
    here.subscribe(() => undefined)
    here.leave()
    pass(60_000)
    expect([timers.size, take()]).toEqual([0, []])
  })
})

describe('a state', () => {
  it.each([
    ['a function', () => undefined],
    ['a date', new Date(0)],
    ['a number that JSON has not', Number.NaN],
    ['half a character', '\ud800'],
    ['a prototype', JSON.parse('{"__proto__":{"isAdmin":true}}')],
    ['a large text', 'x'.repeat(MAX_PRESENCE_BYTES - 1)],
    ['a text of many bytes', 'ü'.repeat(MAX_PRESENCE_BYTES / 2)],
  ])('that is or holds %s is refused, and the one before stays', (_name, state) => {
    const here = createTab().presences.of('')
    here.set('before')
    const value = expect.objectContaining({ code: 'value-invalid', path: expect.anything() })
    expect(() => here.set(state)).toThrow(value)
    expect(here.current.peers).toMatchObject([{ state: 'before' }])
  })

  it('may be as large as the relay takes', () => {
    const here = createTab().presences.of('')
    here.set('x'.repeat(MAX_PRESENCE_BYTES - 2))
    expect(here.current.peers).toHaveLength(1)
  })

  it('has to fit the schema; peers whose state does not are left out', () => {
    const { presences, told, pass } = createTab()
    presences.up()
    const here = presences.of('', z.object({ x: z.number(), label: z.string().default('?') }))
    expectTypeOf(here).toEqualTypeOf<Presence<{ x: number; label: string }>>()
    expect(() => here.set({ x: 'left' } as never)).toThrow(/presence\.x/)
    here.subscribe(() => undefined)
    pass(50)
    told(true, peer('bob/x', '{"x":1}'), peer('eve/y', '{"x":"left"}'), peer('joe/z', '{"y":'))
    expect(here.current.peers.map(({ user, state }) => [user, state])).toEqual([
      ['bob', { x: 1, label: '?' }],
    ])
  })

  it('[SEC-13] of somebody else that holds a prototype shows nobody', () => {
    const { presences, told, pass } = createTab()
    presences.up()
    const here = presences.of('')
    here.subscribe(() => undefined)
    pass(50)
    told(true, peer('eve/y', '{"__proto__":{"isAdmin":true}}'), peer('bob/x', '{"a":[1,null]}'))
    expect(here.current.peers.map(({ state }) => state)).toEqual([{ a: [1, null] }])
  })
})

describe('several tabs of a device', () => {
  it('[TAB-1] are said by the one with the link, each under its own name, and told what it hears', () => {
    const { presences, take, pass, posted, told } = createTab()
    presences.up()
    const present = (topic: string, state: string | undefined, ask = false) => {
      const bytes = state === undefined ? undefined : new TextEncoder().encode(state)
      presences.hear({ type: 'present', topic, peer: 'another', state: bytes, ask })
    }
    present('', '1')
    expect(take()).toEqual([
      ['join', ''],
      ['presence', '', 'another', '1'],
    ])
    told(true, peer('bob/x', '1'))
    expect(posted).toMatchObject([
      { type: 'peers', topic: '', all: true, peers: [{ id: 'bob/x' }] },
    ])
    present('', '1', true)
    expect(take()[0]).toEqual(['join', ''])
    // It is heard no more.
    for (let round = 0; round < 4; round++) pass(30_000)
    expect(take()).toEqual([])
    pass(30_000)
    expect(take()).toEqual([['leave', '']])
  })

  it('tell the tab with the link, and tell it again when it is another one', () => {
    const { presences, take, pass, posted } = createTab()
    presences.follow(1)
    presences.of('').set(1)
    pass(50)
    const message = { type: 'present', topic: '', peer: NAME, ask: true }
    expect(posted.splice(0)).toMatchObject([message])
    presences.follow(1)
    expect(posted).toEqual([])
    presences.follow(null)
    presences.follow(2)
    expect(posted.splice(0)).toMatchObject([message])
    presences.hear({ type: 'peers', topic: '', all: true, peers: [peer('bob/x', '1')] })
    expect(presences.of('').current).toMatchObject({ peers: [{ isSelf: true }, { user: 'bob' }] })
    expect(presences.of('').current.isLive).toBe(true)
    presences.follow(null)
    expect(presences.of('').current.isLive).toBe(false)
    expect(take()).toEqual([])
  })
})
