import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CLOSE_CODES } from '../protocol/index.js'
import {
  BACKOFF_BASE_MS,
  BACKOFF_CAP_MS,
  CONNECT_TIMEOUT_MS,
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionState,
  type ConnectionStatus,
  type ConnectionStep,
  connectionStatus,
  HEARTBEAT_MS,
  IDLE,
  MAX_SPREAD_MS,
  PONG_TIMEOUT_MS,
  reduceConnection,
} from './connection.js'

const SEED = 20261120

type Kind = ConnectionState['kind']

/** Every kind of state, split where what comes next depends on what is in it. */
const STATES = {
  idle: IDLE,
  connecting: { kind: 'connecting', attempt: 3 },
  greeting: { kind: 'greeting', attempt: 3 },
  'greeting, told to go': { kind: 'greeting', attempt: 3, spread: 9_000 },
  online: { kind: 'online', silent: false, attempt: 0 },
  'online, not settled': { kind: 'online', silent: false, attempt: 3 },
  'online, silent': { kind: 'online', silent: true, attempt: 3 },
  'online, told to go': { kind: 'online', silent: false, attempt: 0, spread: 9_000 },
  waiting: { kind: 'waiting', attempt: 3 },
  'connecting, refused': { kind: 'connecting', attempt: 3, refused: true },
  'greeting, refused': { kind: 'greeting', attempt: 3, refused: true },
  'waiting, refused': { kind: 'waiting', attempt: 3, refused: true },
  halted: { kind: 'halted', code: CLOSE_CODES.incompatible, reason: 'version 2' },
  'halted, unauthorized': { kind: 'halted', code: CLOSE_CODES.unauthorized, reason: 'expired' },
  'halted, forbidden': { kind: 'halted', code: CLOSE_CODES.forbidden, reason: 'not here' },
} as const satisfies Record<Kind | `${Kind}, ${string}`, ConnectionState>
type StateName = keyof typeof STATES

/** Every type of event, split where what comes next depends on what is in it. */
const EVENTS = {
  start: { type: 'start' },
  stop: { type: 'stop' },
  hint: { type: 'hint' },
  opened: { type: 'opened' },
  welcomed: { type: 'welcomed' },
  heard: { type: 'heard' },
  settled: { type: 'settled' },
  goodbye: { type: 'goodbye', spread: 6_000 },
  lost: { type: 'lost', code: 1006, reason: '' },
  'lost for good': { type: 'lost', code: CLOSE_CODES.incompatible, reason: 'version 2' },
  refused: { type: 'lost', code: CLOSE_CODES.unauthorized, reason: 'expired' },
  alarm: { type: 'alarm' },
} as const satisfies Record<ConnectionEvent['type'] | 'lost for good' | 'refused', ConnectionEvent>
type EventName = keyof typeof EVENTS

const RANDOM = 0.5

const alarm = (milliseconds: number): ConnectionEffect => ({ type: 'alarm', milliseconds })
const connecting = (attempt: number): ConnectionStep => [
  { kind: 'connecting', attempt },
  [{ type: 'connect' }, alarm(CONNECT_TIMEOUT_MS)],
]
const greeting: ConnectionStep = [
  { kind: 'greeting', attempt: 3 },
  [{ type: 'greet' }, alarm(CONNECT_TIMEOUT_MS)],
]
const online = (attempt: number): ConnectionStep => [
  { kind: 'online', silent: false, attempt },
  [alarm(HEARTBEAT_MS)],
]
const asking = (attempt: number): ConnectionStep => [
  { kind: 'online', silent: true, attempt },
  [{ type: 'ping' }, alarm(PONG_TIMEOUT_MS)],
]
/** The same state, told to go. */
const toldToGo = (before: ConnectionState): ConnectionStep => [
  { ...before, spread: 6_000 } as ConnectionState,
  [],
]
/** Half of what the relay asked for. */
const retreatWithin = (attempt: number, spread: number): ConnectionStep => [
  { kind: 'waiting', attempt: attempt + 1 },
  [{ type: 'disconnect' }, alarm(spread / 2)],
]
/** After a failed attempt: half of the ceiling, since the random number is 0.5. */
const retreat = (attempt: number): ConnectionStep => [
  { kind: 'waiting', attempt: attempt + 1 },
  [{ type: 'disconnect' }, alarm((BACKOFF_BASE_MS * 2 ** attempt) / 2)],
]
const stopped: ConnectionStep = [IDLE, [{ type: 'disconnect' }, { type: 'cancelAlarm' }]]
/** The same on the last try with a token. */
const onTheLastTry = ([state, effects]: ConnectionStep): ConnectionStep => [
  { ...state, refused: true } as ConnectionState,
  effects,
]
const unauthorized: ConnectionStep = [
  { kind: 'halted', code: CLOSE_CODES.unauthorized, reason: 'expired' },
  [{ type: 'disconnect' }, { type: 'cancelAlarm' }],
]
const halted: ConnectionStep = [
  { kind: 'halted', code: CLOSE_CODES.incompatible, reason: 'version 2' },
  [{ type: 'disconnect' }, { type: 'cancelAlarm' }],
]
/** The event means nothing in that state: the same object, and no effect. */
const nothing = 'nothing'

const TRANSITIONS: Record<StateName, Record<EventName, ConnectionStep | typeof nothing>> = {
  idle: {
    start: connecting(0),
    stop: nothing,
    hint: nothing,
    opened: nothing,
    welcomed: nothing,
    heard: nothing,
    settled: nothing,
    goodbye: nothing,
    lost: nothing,
    'lost for good': nothing,
    refused: nothing,
    alarm: nothing,
  },
  connecting: {
    start: nothing,
    stop: stopped,
    hint: nothing,
    opened: greeting,
    welcomed: nothing,
    heard: nothing,
    settled: nothing,
    goodbye: nothing,
    lost: retreat(3),
    'lost for good': halted,
    refused: onTheLastTry(retreat(3)),
    alarm: retreat(3),
  },
  greeting: {
    start: nothing,
    stop: stopped,
    hint: nothing,
    opened: nothing,
    welcomed: online(3),
    heard: nothing,
    settled: nothing,
    goodbye: toldToGo(STATES.greeting),
    lost: retreat(3),
    'lost for good': halted,
    refused: onTheLastTry(retreat(3)),
    alarm: retreat(3),
  },
  'greeting, told to go': {
    start: nothing,
    stop: stopped,
    hint: nothing,
    opened: nothing,
    welcomed: [{ ...STATES['online, told to go'], attempt: 3 }, online(3)[1]],
    heard: nothing,
    settled: nothing,
    goodbye: toldToGo(STATES.greeting),
    lost: retreatWithin(3, 9_000),
    'lost for good': halted,
    refused: onTheLastTry(retreatWithin(3, 9_000)),
    alarm: retreatWithin(3, 9_000),
  },
  online: {
    start: nothing,
    stop: stopped,
    hint: asking(0),
    opened: nothing,
    welcomed: nothing,
    heard: online(0),
    settled: nothing,
    goodbye: toldToGo(STATES.online),
    lost: retreat(0),
    'lost for good': halted,
    refused: onTheLastTry(retreat(0)),
    alarm: asking(0),
  },
  'online, not settled': {
    start: nothing,
    stop: stopped,
    hint: asking(3),
    opened: nothing,
    welcomed: nothing,
    heard: online(3),
    settled: [STATES.online, []],
    goodbye: toldToGo(STATES['online, not settled']),
    lost: retreat(3),
    'lost for good': halted,
    refused: onTheLastTry(retreat(3)),
    alarm: asking(3),
  },
  'online, silent': {
    start: nothing,
    stop: stopped,
    hint: nothing,
    opened: nothing,
    welcomed: nothing,
    heard: online(3),
    settled: [{ kind: 'online', silent: true, attempt: 0 }, []],
    goodbye: toldToGo(STATES['online, silent']),
    lost: retreat(3),
    'lost for good': halted,
    refused: onTheLastTry(retreat(3)),
    alarm: retreat(3),
  },
  'online, told to go': {
    start: nothing,
    stop: stopped,
    hint: [{ ...STATES['online, told to go'], silent: true }, asking(0)[1]],
    opened: nothing,
    welcomed: nothing,
    heard: [STATES['online, told to go'], online(0)[1]],
    settled: nothing,
    goodbye: toldToGo(STATES.online),
    lost: retreatWithin(0, 9_000),
    'lost for good': halted,
    refused: onTheLastTry(retreatWithin(0, 9_000)),
    alarm: [{ ...STATES['online, told to go'], silent: true }, asking(0)[1]],
  },
  waiting: {
    start: nothing,
    stop: stopped,
    hint: connecting(3),
    opened: nothing,
    welcomed: nothing,
    heard: nothing,
    settled: nothing,
    goodbye: nothing,
    lost: nothing,
    'lost for good': nothing,
    refused: nothing,
    alarm: connecting(3),
  },
  'connecting, refused': {
    start: nothing,
    stop: stopped,
    hint: nothing,
    opened: onTheLastTry(greeting),
    welcomed: nothing,
    heard: nothing,
    settled: nothing,
    goodbye: nothing,
    lost: onTheLastTry(retreat(3)),
    'lost for good': halted,
    refused: unauthorized,
    alarm: onTheLastTry(retreat(3)),
  },
  'greeting, refused': {
    start: nothing,
    stop: stopped,
    hint: nothing,
    opened: nothing,
    welcomed: online(3),
    heard: nothing,
    settled: nothing,
    goodbye: toldToGo(STATES['greeting, refused']),
    lost: onTheLastTry(retreat(3)),
    'lost for good': halted,
    refused: unauthorized,
    alarm: onTheLastTry(retreat(3)),
  },
  'waiting, refused': {
    start: nothing,
    stop: stopped,
    hint: onTheLastTry(connecting(3)),
    opened: nothing,
    welcomed: nothing,
    heard: nothing,
    settled: nothing,
    goodbye: nothing,
    lost: nothing,
    'lost for good': nothing,
    refused: nothing,
    alarm: onTheLastTry(connecting(3)),
  },
  halted: {
    start: connecting(0),
    stop: stopped,
    hint: nothing,
    opened: nothing,
    welcomed: nothing,
    heard: nothing,
    settled: nothing,
    goodbye: nothing,
    lost: nothing,
    'lost for good': nothing,
    refused: nothing,
    alarm: nothing,
  },
  'halted, unauthorized': {
    start: connecting(0),
    stop: stopped,
    hint: onTheLastTry(connecting(0)),
    opened: nothing,
    welcomed: nothing,
    heard: nothing,
    settled: nothing,
    goodbye: nothing,
    lost: nothing,
    'lost for good': nothing,
    refused: nothing,
    alarm: nothing,
  },
  'halted, forbidden': {
    start: connecting(0),
    stop: stopped,
    hint: onTheLastTry(connecting(0)),
    opened: nothing,
    welcomed: nothing,
    heard: nothing,
    settled: nothing,
    goodbye: nothing,
    lost: nothing,
    'lost for good': nothing,
    refused: nothing,
    alarm: nothing,
  },
}

const cases = (Object.keys(STATES) as StateName[]).flatMap((state) =>
  (Object.keys(EVENTS) as EventName[]).map((event) => ({
    state,
    event,
    expected: TRANSITIONS[state][event],
    name: `${state}: ${event} ${outcomeOf(TRANSITIONS[state][event])}`,
  })),
)

function outcomeOf(step: ConnectionStep | typeof nothing): string {
  return step === nothing ? 'changes nothing' : `leads to ${step[0].kind}`
}

describe('the connection', () => {
  for (const { state, event, expected, name } of cases) {
    test(name, () => {
      const before = STATES[state]
      const [next, effects] = reduceConnection(before, EVENTS[event], RANDOM)
      if (expected === nothing) {
        expect(next).toBe(before)
        expect(effects).toEqual([])
      } else {
        expect([next, effects]).toEqual(expected)
      }
    })
  }
})

const event: fc.Arbitrary<ConnectionEvent> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...Object.values(EVENTS)) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(1000, 1006, 1012, 1013, ...Object.values(CLOSE_CODES))
      .map((code): ConnectionEvent => ({ type: 'lost', code, reason: '' })),
  },
)
/** A number in [0, 1), with its ends. */
const unit = fc.oneof(
  fc.constantFrom(0, 1 - Number.EPSILON),
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
)
const course = fc.array(fc.tuple(event, unit), { maxLength: 60, size: 'max' })

interface Moment {
  readonly before: ConnectionState
  readonly event: ConnectionEvent
  readonly after: ConnectionState
  readonly effects: readonly ConnectionEffect[]
  readonly alarms: number
  readonly sockets: number
  readonly failures: number
  readonly spread: number | undefined
}

/** Runs the machine as `createLink` does: one socket, one alarm, an alarm event only while an alarm is set. */
function play(script: readonly (readonly [ConnectionEvent, number])[]): Moment[] {
  const moments: Moment[] = []
  let state: ConnectionState = IDLE
  let alarms = 0
  let sockets = 0
  /** Links in a row that did not settle. */
  let failures = 0
  /** What the relay has asked for on this link. */
  let spread: number | undefined
  for (const [next, random] of script) {
    if (next.type === 'alarm') {
      if (alarms === 0) continue
      alarms = 0
    }
    if ((next.type === 'opened' || next.type === 'lost') && sockets === 0) continue
    if (next.type === 'lost') sockets = 0
    const before = state
    const [after, effects] = reduceConnection(before, next, random)
    for (const effect of effects) {
      if (effect.type === 'alarm') alarms = 1
      if (effect.type === 'cancelAlarm') alarms = 0
      if (effect.type === 'connect') sockets += 1
      if (effect.type === 'disconnect') sockets = 0
    }
    const linked = before.kind === 'greeting' || before.kind === 'online'
    if (next.type === 'goodbye' && linked) spread = next.spread
    if (after.kind === 'connecting') spread = undefined
    if (next.type === 'settled' && before.kind === 'online') failures = 0
    if (after.kind === 'idle' || after.kind === 'halted') failures = 0
    else if (after.kind === 'waiting' && before.kind !== 'waiting') failures += 1
    moments.push({ before, event: next, after, effects, alarms, sockets, failures, spread })
    state = after
  }
  return moments
}

describe('over any course of events, the connection', () => {
  const holds = (check: (moment: Moment) => void): void => {
    const seen = new Set<Kind>()
    fc.assert(
      fc.property(course, (script) => {
        for (const moment of play(script)) {
          seen.add(moment.after.kind)
          check(moment)
        }
      }),
      { seed: SEED, numRuns: 500 },
    )
    expect([...seen].sort()).toEqual(
      ['connecting', 'greeting', 'halted', 'idle', 'online', 'waiting'].sort(),
    )
  }

  test('sets at most one alarm at a time, and always has one while it wants to be online', () => {
    holds(({ after, effects, alarms }) => {
      expect(effects.filter(({ type }) => type === 'alarm').length).toBeLessThanOrEqual(1)
      const wanted = after.kind !== 'idle' && after.kind !== 'halted'
      expect(alarms).toBe(wanted ? 1 : 0)
    })
  })

  test('has a socket exactly while it connects, greets or is online, and never two', () => {
    holds(({ after, sockets }) => {
      const open = ['connecting', 'greeting', 'online'].includes(after.kind)
      expect(sockets).toBe(open ? 1 : 0)
    })
  })

  test('leaves halted only when it is started or stopped, or at a hint where another token may help', () => {
    holds(({ before, event: { type }, after }) => {
      if (before.kind !== 'halted' || after === before) return
      const mayHelp = [4401, 4403].includes(before.code)
      expect(['start', 'stop', ...(mayHelp ? ['hint'] : [])]).toContain(type)
    })
  })

  test('tries no more than one other token on end when the relay refuses them', () => {
    holds(({ before, event, after }) => {
      if (event.type !== 'lost' || event.code !== CLOSE_CODES.unauthorized) return
      if (before === after) return
      const isLast = 'refused' in before
      expect(after.kind).toBe(isLast ? 'halted' : 'waiting')
      expect('refused' in after).toBe(!isLast)
    })
  })

  test('is idle only before the first start and after a stop, with nothing left to happen', () => {
    holds(({ before, event: { type }, after, alarms, sockets }) => {
      if (after.kind !== 'idle') return
      if (before.kind !== 'idle') expect(type).toBe('stop')
      expect([alarms, sockets]).toEqual([0, 0])
    })
  })

  test('waits between attempts for no longer than the back-off allows, which begins anew with a settled link only', () => {
    holds(({ before, after, effects, failures, spread }) => {
      if (after.kind !== 'waiting' || before.kind === 'waiting') return
      const [delay] = effects.flatMap((effect) =>
        effect.type === 'alarm' ? [effect.milliseconds] : [],
      )
      const ceiling = spread ?? Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (failures - 1))
      expect(delay).toBeGreaterThanOrEqual(0)
      expect(delay).toBeLessThanOrEqual(ceiling)
      expect(Number.isInteger(delay)).toBe(true)
    })
  })

  test('goes online through a socket that opened and a relay that welcomed', () => {
    holds(({ before, event: { type }, after }) => {
      if (after.kind === 'online' && before.kind !== 'online')
        expect([before.kind, type]).toEqual(['greeting', 'welcomed'])
      if (after.kind === 'greeting' && before.kind !== 'greeting')
        expect([before.kind, type]).toEqual(['connecting', 'opened'])
    })
  })
})

test('full jitter: a thousand clients that lose a relay come back spread over the whole ceiling', () => {
  const lost = (random: number, attempt: number): number => {
    const [, effects] = reduceConnection({ kind: 'connecting', attempt }, EVENTS.alarm, random)
    return (
      effects.flatMap((effect) => (effect.type === 'alarm' ? [effect.milliseconds] : []))[0] ?? -1
    )
  }
  expect(lost(0, 3)).toBe(0)
  expect(lost(0.25, 3)).toBe(1000)
  expect(lost(1 - Number.EPSILON, 3)).toBe(4000)
  // The ceiling stays where it is, however long a relay is away.
  for (const attempt of [6, 7, 100, 5000]) expect(lost(0.5, attempt)).toBe(BACKOFF_CAP_MS / 2)
})

test('[NET-2] a goodbye spreads clients over what the relay asks for, within reason', () => {
  const spread = (asked: number): ConnectionState =>
    reduceConnection(STATES.online, { type: 'goodbye', spread: asked }, RANDOM)[0]
  expect(reduceConnection(spread(20_000), EVENTS.lost, 0.25)[1]).toContainEqual(alarm(5_000))
  expect(reduceConnection(spread(1e12), EVENTS.lost, 0.5)[1]).toContainEqual(
    alarm(MAX_SPREAD_MS / 2),
  )
  // Once only: who finds nobody there backs off as usual.
  const [waiting] = reduceConnection(spread(20_000), EVENTS.lost, 0.25)
  const [attempt] = reduceConnection(waiting, EVENTS.alarm, RANDOM)
  expect(reduceConnection(attempt, EVENTS.lost, RANDOM)[1]).toContainEqual(alarm(BACKOFF_BASE_MS))
})

test('[NET-2] a relay that welcomes and is lost before anything has arrived is tried less and less often', () => {
  const delays: number[] = []
  let [state] = reduceConnection(IDLE, EVENTS.start, RANDOM)
  for (let round = 0; round < 4; round++) {
    for (const next of [EVENTS.opened, EVENTS.welcomed, EVENTS.lost, EVENTS.alarm]) {
      const [after, effects] = reduceConnection(state, next, RANDOM)
      if (after.kind === 'waiting')
        delays.push(
          ...effects.flatMap((effect) => ('milliseconds' in effect ? [effect.milliseconds] : [])),
        )
      state = after
    }
  }
  expect(delays).toEqual([250, 500, 1_000, 2_000])
})

describe('what an app is shown', () => {
  const STATUSES: Record<
    StateName,
    readonly [following: ConnectionStatus, caughtUp: ConnectionStatus]
  > = {
    idle: ['offline', 'offline'],
    connecting: ['offline', 'offline'],
    greeting: ['offline', 'offline'],
    'greeting, told to go': ['offline', 'offline'],
    online: ['connecting', 'online'],
    'online, not settled': ['connecting', 'online'],
    'online, silent': ['connecting', 'online'],
    'online, told to go': ['connecting', 'online'],
    waiting: ['offline', 'offline'],
    'connecting, refused': ['offline', 'offline'],
    'greeting, refused': ['offline', 'offline'],
    'waiting, refused': ['offline', 'offline'],
    halted: ['incompatible', 'incompatible'],
    'halted, unauthorized': ['unauthorized', 'unauthorized'],
    'halted, forbidden': ['unauthorized', 'unauthorized'],
  }

  test.for(Object.entries(STATUSES) as [StateName, (typeof STATUSES)[StateName]][])(
    'in state "%s" is %o before and after catching up',
    ([state, expected]) => {
      const shown = [false, true].map((caughtUp) => connectionStatus(STATES[state], caughtUp))
      expect(shown).toEqual(expected)
    },
  )

  test('at the first attempt is "connecting", and "offline" at those after a failure', () => {
    for (const kind of ['connecting', 'greeting'] as const) {
      expect(connectionStatus({ kind, attempt: 0 }, false)).toBe('connecting')
      expect(connectionStatus({ kind, attempt: 1 }, false)).toBe('offline')
    }
  })

  test('stays "unauthorized" while a hint has it tried again', () => {
    const [state] = reduceConnection(STATES['halted, unauthorized'], EVENTS.hint, RANDOM)
    expect(connectionStatus(state, false)).toBe('unauthorized')
  })

  test.for([
    [CLOSE_CODES.unauthorized, 'unauthorized'],
    [CLOSE_CODES.forbidden, 'unauthorized'],
    [CLOSE_CODES.incompatible, 'incompatible'],
    [CLOSE_CODES.protocolViolation, 'incompatible'],
  ] as const)('after the close code %i is "%s"', ([code, expected]) => {
    expect(connectionStatus({ kind: 'halted', code, reason: '' }, true)).toBe(expected)
  })
})
