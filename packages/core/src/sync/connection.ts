import { unreachable } from '../errors.js'
import { CLOSE_CODES, isPermanentClose } from '../protocol/index.js'

/**
 * The life of the link to the relay as a pure state machine: no socket, no timer, no clock.
 *
 *            start                opened               welcomed
 *   idle ───────────▶ connecting ───────▶ greeting ───────────▶ online ◀─┐ heard
 *    ▲                  ▲    │               │                   │  └────┘ alarm: ping
 *    │ stop        alarm│    │ lost, alarm   │ lost, alarm       │ lost, alarm without pong
 *    │              hint│    ▼               ▼                   ▼
 *  (any)              waiting ◀──────────────┴───────────────────┘
 *                                             a permanent close code ──▶ halted
 *
 * Back-off begins anew once the link has settled, and not before. After a goodbye the relay's spread takes its place.
 * A token that is refused (4401) is no end yet: another one is asked for, once. When that one is refused as well the link is
 * halted until somebody asks for it, or a hint suggests that there may be another token now.
 *
 * There is one alarm at a time; each `alarm` effect replaces it.
 */
export type ConnectionState =
  /** Not wanted: the store is closed, has no relay, or another tab holds the link. */
  | { readonly kind: 'idle' }
  | ({ readonly kind: 'connecting' } & Attempt)
  | ({ readonly kind: 'greeting' } & Attempt & Spread)
  /** `attempt` is that of the link before it has proven itself: a relay that welcomes and fails is given more and more time. */
  | ({ readonly kind: 'online'; readonly silent: boolean; readonly attempt: number } & Spread)
  | ({ readonly kind: 'waiting' } & Attempt)
  /** Trying again by itself can't help. */
  | { readonly kind: 'halted'; readonly code: number; readonly reason: string }

export interface Attempt {
  readonly attempt: number
  /** The last token was refused: the next one has to be another, and is the last one that is tried. */
  readonly refused?: true
}

interface Spread {
  /** Within how many milliseconds the relay wants to be tried again when it has closed the link. */
  readonly spread?: number | undefined
}

export type ConnectionEvent =
  | { readonly type: 'start' }
  | { readonly type: 'stop' }
  /** The surroundings suggest that it may work now. */
  | { readonly type: 'hint' }
  | { readonly type: 'opened' }
  | { readonly type: 'welcomed' }
  /** Any frame arrived. */
  | { readonly type: 'heard' }
  /** Everything that the relay had has arrived: the link works. */
  | { readonly type: 'settled' }
  /** The relay is about to close the link. */
  | { readonly type: 'goodbye'; readonly spread: number }
  | { readonly type: 'lost'; readonly code: number; readonly reason: string }
  | { readonly type: 'alarm' }

export type ConnectionEffect =
  | { readonly type: 'connect' }
  | { readonly type: 'greet' }
  | { readonly type: 'ping' }
  /** Close the socket and forget it: its events no longer count. */
  | { readonly type: 'disconnect' }
  | { readonly type: 'alarm'; readonly milliseconds: number }
  | { readonly type: 'cancelAlarm' }

export type ConnectionStep = readonly [ConnectionState, readonly ConnectionEffect[]]

/** A socket that opens and a relay that greets do so within a moment, or not at all. */
export const CONNECT_TIMEOUT_MS = 10_000
/** Proxies drop links that are silent for 30 to 60 s; half of that keeps them. */
export const HEARTBEAT_MS = 15_000
export const PONG_TIMEOUT_MS = 10_000
/** Full jitter (Brooker, "Exponential Backoff and Jitter"): `random(0, min(cap, base · 2^attempt))`. */
export const BACKOFF_BASE_MS = 500
export const BACKOFF_CAP_MS = 30_000
/** The longest that a relay may send a client away for. */
export const MAX_SPREAD_MS = 300_000

export const IDLE: ConnectionState = { kind: 'idle' }

/** @param random a number in [0, 1) for the jitter. */
export function reduceConnection(
  state: ConnectionState,
  event: ConnectionEvent,
  random: number,
): ConnectionStep {
  switch (event.type) {
    case 'start':
      return state.kind === 'idle' || state.kind === 'halted'
        ? connect({ attempt: 0 })
        : [state, []]
    case 'stop':
      return state.kind === 'idle'
        ? [state, []]
        : [IDLE, [{ type: 'disconnect' }, { type: 'cancelAlarm' }]]
    case 'hint':
      if (state.kind === 'waiting') return connect(state)
      if (state.kind === 'halted' && isRefusal(state.code))
        return connect({ attempt: 0, refused: true })
      // A link that slept through may be dead without knowing: ask now.
      return state.kind === 'online' && !state.silent ? ask(state) : [state, []]
    case 'opened':
      return state.kind === 'connecting'
        ? [{ ...state, kind: 'greeting' }, [{ type: 'greet' }, alarm(CONNECT_TIMEOUT_MS)]]
        : [state, []]
    case 'welcomed':
      return state.kind === 'greeting'
        ? online({ kind: 'online', silent: false, attempt: state.attempt, spread: state.spread })
        : [state, []]
    case 'heard':
      return state.kind === 'online' ? online(state) : [state, []]
    case 'settled':
      return state.kind === 'online' && state.attempt > 0
        ? [{ ...state, attempt: 0 }, []]
        : [state, []]
    case 'goodbye':
      return state.kind === 'greeting' || state.kind === 'online'
        ? [{ ...state, spread: Math.min(event.spread, MAX_SPREAD_MS) }, []]
        : [state, []]
    case 'lost':
      return lost(state, event.code, event.reason, random)
    case 'alarm':
      return onAlarm(state, random)
    default:
      return unreachable(event)
  }
}

function onAlarm(state: ConnectionState, random: number): ConnectionStep {
  switch (state.kind) {
    case 'waiting':
      return connect(state)
    case 'connecting':
    case 'greeting':
      return retreat(state, random)
    case 'online':
      return state.silent ? retreat(state, random) : ask(state)
    case 'idle':
    case 'halted':
      return [state, []]
    default:
      return unreachable(state)
  }
}

function lost(
  state: ConnectionState,
  code: number,
  reason: string,
  random: number,
): ConnectionStep {
  if (state.kind === 'idle' || state.kind === 'halted' || state.kind === 'waiting')
    return [state, []]
  const attempt: Attempt & Spread = state
  if (code === CLOSE_CODES.unauthorized && attempt.refused === undefined)
    return retreat({ ...attempt, refused: true }, random)
  if (isPermanentClose(code)) {
    return [{ kind: 'halted', code, reason }, [{ type: 'disconnect' }, { type: 'cancelAlarm' }]]
  }
  return retreat(attempt, random)
}

function connect(attempt: Attempt): ConnectionStep {
  return [{ ...attempt, kind: 'connecting' }, [{ type: 'connect' }, alarm(CONNECT_TIMEOUT_MS)]]
}

type Online = Extract<ConnectionState, { kind: 'online' }>

function online(state: Online): ConnectionStep {
  return [{ ...state, silent: false }, [alarm(HEARTBEAT_MS)]]
}

function ask(state: Online): ConnectionStep {
  return [{ ...state, silent: true }, [{ type: 'ping' }, alarm(PONG_TIMEOUT_MS)]]
}

/** What the relay asked for when it said goodbye; by itself full jitter. */
function retreat({ attempt, refused, spread }: Attempt & Spread, random: number): ConnectionStep {
  const ceiling = spread ?? Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt)
  return [
    { kind: 'waiting', attempt: attempt + 1, ...(refused && { refused }) },
    [{ type: 'disconnect' }, alarm(Math.ceil(random * ceiling))],
  ]
}

function alarm(milliseconds: number): ConnectionEffect {
  return { type: 'alarm', milliseconds }
}

function isRefusal(code: number): boolean {
  return code === CLOSE_CODES.unauthorized || code === CLOSE_CODES.forbidden
}

/** What an app shows. `local` is a store without a relay. */
export type ConnectionStatus =
  | 'connecting'
  | 'online'
  | 'offline'
  | 'unauthorized'
  | 'incompatible'
  | 'local'

/** @param caughtUp whether everything that the relay had has arrived. */
export function connectionStatus(state: ConnectionState, caughtUp: boolean): ConnectionStatus {
  switch (state.kind) {
    case 'online':
      return caughtUp ? 'online' : 'connecting'
    case 'connecting':
    case 'greeting':
      // What it was after a failure it stays until it works, so that a banner doesn't blink at each attempt.
      if (state.attempt > 0) return 'offline'
      return state.refused ? 'unauthorized' : 'connecting'
    case 'halted':
      return isRefusal(state.code) ? 'unauthorized' : 'incompatible'
    case 'idle':
    case 'waiting':
      return 'offline'
    default:
      return unreachable(state)
  }
}
