import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from './limits.js'
import type { PresenceLimits } from './presence.js'
import { createTestPresence, type TestGuest, type TestPresence } from './presence.test-support.js'

const TOPICS = ['', 'cards/c1', 'cards/c2']
const USERS = ['ada', 'bob', 'ada', 'eve']
const NAMES = ['tab-1', 'tab-2', 'tab-3']
const EXPIRY = DEFAULT_LIMITS.presenceExpiry

type Step =
  | { readonly do: 'join' | 'leave' | 'ask'; readonly who: number; readonly topic: string }
  | {
      readonly do: 'say'
      readonly who: number
      readonly topic: string
      readonly name: string
      readonly state: string
    }
  | { readonly do: 'disconnect' | 'congest' | 'drain'; readonly who: number }
  | { readonly do: 'wait'; readonly milliseconds: number }

const who = fc.nat({ max: USERS.length - 1 })
const topic = fc.constantFrom(...TOPICS)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('join' as const, 'join' as const, 'leave' as const, 'ask' as const),
      who,
      topic,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      who,
      topic,
      name: fc.constantFrom(...NAMES),
      state: fc.constantFrom('', '1', '2', '"a longer state than that"'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('disconnect' as const, 'congest' as const, 'drain' as const),
      who,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      milliseconds: fc.constantFrom(1, 10, 60, 10_000, 25_000, 70_000),
    }),
  },
)

/** Whom there should be on each topic. */
type Model = Map<string, Map<string, { state: string; owner: TestGuest; said: number }>>

function run(limits: Partial<PresenceLimits>, steps: readonly Step[]) {
  const test = createTestPresence(limits)
  const guests = USERS.map((user) => test.guest(user))
  const model: Model = new Map(TOPICS.map((name) => [name, new Map()]))
  for (const one of steps) perform(test, guests, model, one)
  for (const guest of guests) guest.bufferedBytes = 0
  // Far below what is needed to expire, far above what is needed to tell everything.
  test.clock.advance(5_000)
  return { ...test, guests, model }
}

function perform(
  { clock }: TestPresence,
  guests: readonly TestGuest[],
  model: Model,
  one: Step,
): void {
  if (one.do === 'wait') {
    clock.advance(one.milliseconds)
    return
  }
  const guest = guests[one.who]
  if (guest === undefined) return
  switch (one.do) {
    case 'join':
      guest.seat(one.topic)
      break
    case 'ask':
      guest.seats.get(one.topic)?.ask()
      break
    case 'leave':
      guest.seats.get(one.topic)?.leave()
      forget(model.get(one.topic), guest)
      break
    case 'disconnect':
      guest.disconnect()
      for (const peers of model.values()) forget(peers, guest)
      break
    case 'congest':
      guest.bufferedBytes = DEFAULT_LIMITS.pageLowWater + 1
      break
    case 'drain':
      guest.bufferedBytes = 0
      break
    case 'say': {
      const peers = model.get(one.topic)
      if (peers === undefined) break
      guest.seat(one.topic).say(one.name, one.state)
      const id = `${guest.user}/${one.name}`
      if (one.state !== '') peers.set(id, { state: one.state, owner: guest, said: clock.now() })
      else if (peers.get(id)?.owner === guest) peers.delete(id)
    }
  }
}

function forget(
  peers: Map<string, { readonly owner: TestGuest }> | undefined,
  guest: TestGuest,
): void {
  for (const [id, { owner }] of peers ?? []) if (owner === guest) peers?.delete(id)
}

describe('presence', () => {
  it('[SEC-5] [SEC-10] everybody on a topic sees who is there, as themselves, and nobody else', () => {
    let seen = 0
    let late = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
        const { guests, model, clock } = run({ presenceTickBytes: 700 }, steps)
        for (const name of TOPICS) {
          const seats = guests.flatMap((guest) => guest.seats.get(name) ?? [])
          const expected = model.get(name) ?? new Map()
          for (const { view, knows } of seats) {
            expect(knows).toBe(true)
            // Between three quarters of its time and all of it a peer may be gone; then it is gone for everybody.
            expect(view).toEqual(seats[0]?.view)
            for (const [id, state] of view) expect(state).toBe(expected.get(id)?.state)
            for (const [id, { said }] of expected) {
              const age = clock.now() - said
              if (age < (EXPIRY * 3) / 4) expect(view.has(id)).toBe(true)
              if (age > EXPIRY) expect(view.has(id)).toBe(false)
              seen += view.has(id) ? 1 : 0
              late += view.has(id) ? 0 : 1
            }
          }
        }
      }),
      { seed: 20261121, numRuns: 1_000 },
    )
    expect(seen).toBeGreaterThan(5_000)
    expect(late).toBeGreaterThan(500)
  })

  it('[SEC-10] whatever is said, nobody is told more than the limits allow, and all are told the same', () => {
    const limits = {
      presenceTickBytes: 700,
      presenceTabs: 2,
      presencePeers: 3,
      presenceBytes: 40,
      presenceStateBytes: 20,
    }
    let full = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
        const { guests } = run(limits, steps)
        for (const name of TOPICS) {
          const seats = guests.flatMap((guest) => guest.seats.get(name) ?? [])
          for (const { view } of seats) {
            expect(view).toEqual(seats[0]?.view)
            expect(view.size).toBeLessThanOrEqual(limits.presencePeers)
            for (const state of view.values())
              expect(state.length).toBeLessThanOrEqual(limits.presenceStateBytes)
            if (view.size === limits.presencePeers) full += 1
          }
        }
      }),
      { seed: 20261122, numRuns: 1_000 },
    )
    expect(full).toBeGreaterThan(100)
  })

  it('leaves no timer behind that works when nobody is there', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { guests, clock } = run({}, steps)
        for (const guest of guests) guest.disconnect()
        clock.advance(EXPIRY)
        expect(clock.timers).toBe(0)
      }),
      { seed: 20261123, numRuns: 200 },
    )
  })
})
