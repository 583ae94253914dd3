import type { Clock } from '@tidemark/core'
import { CLOSE_CODES, type Role } from '@tidemark/core/protocol'
import type { Log } from '../log.js'
import { within } from './deadline.js'
import { type ProvenIdentity, provenBy, roleIn } from './identity.js'
import type { Limits } from './limits.js'
import type { Authenticate, Credentials } from './ports.js'
import { Refusal } from './refusal.js'
import type { Revocations } from './revocations.js'

/** Timers of more milliseconds go off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1
/** However often the app wants to be asked. */
const SHORTEST_RECHECK_MS = 1_000
/** Checks that may fail in a row before a connection ends: nobody knows any more whether it is allowed. */
const MAX_FAILED_CHECKS = 3
const EXPIRED = 'The token has expired; get a new one.'

export interface AccessContext {
  readonly authenticate: Authenticate
  readonly clock: Clock
  readonly limits: Pick<Limits, 'authenticateDeadline'>
  readonly log: Log
  readonly revocations: Revocations
}

export interface AccessEvents {
  /** A new token was accepted. */
  authenticated(): void
  /** Roles may be others than before. */
  rolesChanged(): void
  /** The right to be here is over; nothing is called after it. */
  ended(code: number, reason: string): void
}

/**
 * The right of one connection to be here: until its token expires, is taken back, or is no longer accepted when it is looked
 * at again (reliability S12). It outlives the connection, for what was received before.
 */
export interface Access {
  readonly user: string
  /** Milliseconds since the epoch; infinite: never. */
  readonly expiresAt: number
  /** Whether it is over; looks at the clock too, since timers stand still while a machine sleeps. */
  isOver(): boolean
  /** The role in a space; undefined: none. @throws Error, or rejects, when it can't be told now */
  roleIn(space: string): Role | undefined | Promise<Role | undefined>
  /** Checks another token; the last one counts when several come while one is being checked. */
  refresh(token: string): void
  end(code: number, reason: string): void
  /** The connection is gone: nothing is watched any more. */
  stop(): void
}

/**
 * @throws Refusal 4401 for who is nobody, or somebody else than they say; Error when nobody can tell
 */
export async function grantAccess(
  context: AccessContext,
  first: Credentials,
  events: AccessEvents,
): Promise<Access> {
  const { clock, limits, log, revocations } = context
  let credentials = first
  let identity: ProvenIdentity & { readonly issuedAt: number }
  let over = false
  let stopped = false
  let waiting: string | undefined
  let checking = false
  let failures = 0
  let cancelExpiry = (): void => undefined
  let cancelRecheck = (): void => undefined

  async function prove(shown: Credentials): Promise<typeof identity> {
    // What an answer rests on was so when it was asked for, at the latest.
    const asked = clock.now()
    const proven = provenBy(await context.authenticate(shown))
    const { user, issuedAt = asked } = proven
    if (user !== shown.user)
      throw new Refusal(CLOSE_CODES.unauthorized, 'The token is of another user.')
    if (proven.expiresAt <= clock.now()) throw new Refusal(CLOSE_CODES.unauthorized, EXPIRED)
    if (revocations.covers(user, issuedAt))
      throw new Refusal(CLOSE_CODES.unauthorized, 'The token was taken back; get a new one.')
    return { ...proven, issuedAt }
  }

  function end(code: number, reason: string): void {
    if (over) return
    over = true
    stop()
    events.ended(code, reason)
  }

  function stop(): void {
    stopped = true
    cancelExpiry()
    cancelRecheck()
  }

  function hasExpired(): boolean {
    return identity.expiresAt <= clock.now()
  }

  function watch(): void {
    cancelExpiry()
    cancelRecheck()
    const { expiresAt, recheckAfter } = identity
    if (Number.isFinite(expiresAt)) watchExpiry()
    if (recheckAfter !== undefined && Number.isFinite(recheckAfter))
      cancelRecheck = clock.schedule(
        () => void check(undefined),
        Math.min(Math.max(recheckAfter, SHORTEST_RECHECK_MS), LONGEST_TIMER_MS),
      )
  }

  function watchExpiry(): void {
    const left = identity.expiresAt - clock.now()
    if (left <= 0) end(CLOSE_CODES.unauthorized, EXPIRED)
    else cancelExpiry = clock.schedule(watchExpiry, Math.min(left, LONGEST_TIMER_MS))
  }

  /** @param token a new one, or undefined to look at the present one again */
  async function check(token: string | undefined): Promise<void> {
    if (checking) {
      waiting = token ?? waiting
      return
    }
    checking = true
    const shown = token === undefined ? credentials : { ...credentials, token }
    try {
      const proven = await within(clock, limits.authenticateDeadline, prove(shown))
      if (stopped) return
      failures = 0
      credentials = shown
      identity = proven
      watch()
      events.rolesChanged()
      if (token !== undefined) events.authenticated()
    } catch (error) {
      failed(error, token !== undefined)
    } finally {
      checking = false
    }
    const next = waiting
    waiting = undefined
    if (next !== undefined && !stopped) await check(next)
  }

  /** Not to know is no verdict on the user: what was known before counts for a while. */
  function failed(error: unknown, isNew: boolean): void {
    if (stopped) return
    if (error instanceof Refusal) {
      end(error.code, error.message)
      return
    }
    log.warn({ err: error, user: identity.user }, "a token can't be checked")
    // The present one is good until it expires.
    if (isNew) return
    failures += 1
    if (failures < MAX_FAILED_CHECKS) watch()
    else end(CLOSE_CODES.overloaded, "The token can't be checked now; try again later.")
  }

  identity = await prove(first)
  watch()
  return {
    user: identity.user,
    get expiresAt() {
      return identity.expiresAt
    },
    isOver() {
      if (!over && hasExpired()) end(CLOSE_CODES.unauthorized, EXPIRED)
      return over
    },
    roleIn(space) {
      if (revocations.covers(identity.user, identity.issuedAt, space)) return undefined
      const role = roleIn(identity, space)
      return role instanceof Promise ? within(clock, limits.authenticateDeadline, role) : role
    },
    refresh: (token) => void check(token),
    end,
    stop,
  }
}
