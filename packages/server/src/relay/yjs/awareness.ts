import { Refusal } from '../refusal.js'
import { YJS_CLOSE_CODES } from './close-codes.js'

/** What one client tells of itself: a cursor, a name. `json` is `null` once it has left. */
export interface AwarenessState {
  readonly client: number
  readonly clock: number
  readonly json: string
}

/** Who is there at one entity: whatever awareness of y-protocols would hold, but nobody speaks for anybody else. */
export interface AwarenessTable<Owner extends AwarenessOwner> {
  /**
   * Takes what `owner` says of itself and leaves out what it repeats of others, as stock clients do. Returns what is news.
   *
   * @throws Refusal for a state that is too large or no state
   */
  take(owner: Owner, states: readonly AwarenessState[], now: number): readonly AwarenessState[]
  /** The owner has left; returns what the others are told. */
  leave(owner: Owner): readonly AwarenessState[]
  /** Removes who hasn't said anything for too long. */
  expire(now: number): readonly AwarenessState[]
  /** The client id that the owner speaks for. */
  clientOf(owner: Owner): number | undefined
  /** Whether somebody is known by it. */
  has(client: number): boolean
  all(): readonly AwarenessState[]
}

export interface AwarenessOwner {
  readonly user: string
}

/** Of y-protocols: clients say the same again after half of that. */
const EXPIRE_MS = 30_000
/** A name, a colour, and a selection in an editor take some hundred bytes. */
const MAX_STATE_CHARACTERS = 8 * 1024
const MAX_CLIENT = 2 ** 32 - 1
/** What a client that has left says of itself. */
export const GONE = 'null'

interface Claim<Owner> extends AwarenessState {
  readonly owner: Owner
  readonly seenAt: number
}

/**
 * A connection speaks for one client id for as long as it lasts [SEC-5] [SEC-10]: the first one that it shows itself under and
 * that is nobody else's. A user's later connection takes an id over from an earlier one: after a cut the former
 * connection may look alive for a minute.
 */
export function createAwarenessTable<Owner extends AwarenessOwner>(): AwarenessTable<Owner> {
  const claims = new Map<number, Claim<Owner>>()
  const clients = new Map<Owner, number>()

  function isOwn(owner: Owner, { client, json }: AwarenessState): boolean {
    const own = clients.get(owner)
    if (own !== undefined) return own === client
    const former = claims.get(client)?.owner
    if (json === GONE || client > MAX_CLIENT) return false
    if (former !== undefined && former.user !== owner.user) return false
    if (former !== undefined) clients.delete(former)
    clients.set(owner, client)
    return true
  }

  function remove(client: number): AwarenessState | undefined {
    const claim = claims.get(client)
    claims.delete(client)
    return claim === undefined ? undefined : { client, clock: claim.clock, json: GONE }
  }

  return {
    take(owner, states, now) {
      const news: AwarenessState[] = []
      for (const state of states) {
        if (!isOwn(owner, state)) continue
        const { client, clock, json } = state
        const known = claims.get(client)
        if (known !== undefined && clock < known.clock) continue
        if (json === GONE) {
          if (remove(client) !== undefined) news.push(state)
          continue
        }
        assertState(json)
        claims.set(client, { client, clock, json, owner, seenAt: now })
        if (known === undefined || clock > known.clock) news.push(state)
      }
      return news
    },
    leave(owner) {
      const client = clients.get(owner)
      clients.delete(owner)
      const gone = client === undefined ? undefined : remove(client)
      return gone === undefined ? [] : [gone]
    },
    expire(now) {
      const expired = [...claims.values()].filter(({ seenAt }) => now - seenAt > EXPIRE_MS)
      return expired.flatMap(({ client }) => remove(client) ?? [])
    },
    clientOf: (owner) => clients.get(owner),
    has: (client) => claims.has(client),
    all: () => [...claims.values()].map(({ client, clock, json }) => ({ client, clock, json })),
  }
}

/** @throws Refusal */
function assertState(json: string): void {
  if (json.length > MAX_STATE_CHARACTERS)
    throw new Refusal(YJS_CLOSE_CODES.tooLarge, 'The awareness state is too large.')
  let state: unknown
  try {
    state = JSON.parse(json)
  } catch {
    // Told below.
  }
  if (typeof state !== 'object' || state === null || Array.isArray(state))
    throw new Refusal(YJS_CLOSE_CODES.protocolViolation, 'The awareness state is no object.')
}
