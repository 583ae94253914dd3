import type { Clock } from '@tidemark/core'
import type { Peer } from '@tidemark/core/protocol'
import type { PresenceNews, PresencePort, PresenceSeat } from '../ports.js'
import type { YjsAddress } from './address.js'
import { type AwarenessState, GONE } from './awareness.js'
import type { RoomMember } from './member.js'

/** Who is at one entity, told to both sides: stock clients as awareness, Tidemark clients as presence. */
export interface PresenceBridge {
  /** A stock client has said something of itself. */
  say(member: RoomMember, state: AwarenessState): void
  /** A stock client has gone. */
  leave(member: RoomMember): void
  /** Tidemark clients, as stock clients see them. */
  all(): readonly AwarenessState[]
  /** Whether it is what a Tidemark client is known by: nobody else may speak for it. */
  holds(client: number): boolean
  /** The same, said again: stock clients forget who has been silent for 30 seconds. */
  renewed(): readonly AwarenessState[]
  stop(): void
}

export interface PresenceBridgeOptions {
  readonly presence: PresencePort
  readonly clock: Clock
  readonly address: YjsAddress
  /** Whether a stock client is known by it. */
  readonly isTaken: (client: number) => boolean
  /** Something is news of Tidemark clients. */
  readonly tell: (states: readonly AwarenessState[]) => void
}

/** A stock client among those who are present. */
interface Place {
  readonly id: string
  readonly seat: PresenceSeat
}

/** Before the client id of a stock client, in what Tidemark clients know it by. */
const STOCK_PEER = 'yjs-'
const EMPTY = new Uint8Array()
/** Who only listens. */
const LISTENER = { user: 'yjs', bufferedBytes: 0 } as const

export function createPresenceBridge(options: PresenceBridgeOptions): PresenceBridge {
  const { presence, clock, address, isTaken, tell } = options
  const { space, ref } = address
  const topic = `${ref.collection}/${ref.id}`
  const places = new Map<RoomMember, Place>()
  const guests = new Map<string, AwarenessState>()
  const decoder = new TextDecoder()
  const listening = presence.join(space, topic, LISTENER, hear)

  function hear({ all, peers }: PresenceNews): void {
    const states: AwarenessState[] = []
    if (all) {
      const named = new Set(peers.map(({ id }) => id))
      for (const id of [...guests.keys()]) if (!named.has(id)) states.push(...remove(id))
    }
    for (const peer of peers) {
      if (isStock(peer.id)) continue
      if (peer.state.length === 0) states.push(...remove(peer.id))
      else states.push(put(peer.id, jsonOf(peer)))
    }
    if (states.length > 0) tell(states)
  }

  /** Those know of each other already. */
  function isStock(id: string): boolean {
    for (const place of places.values()) if (place.id === id) return true
    return false
  }

  function put(id: string, json: string): AwarenessState {
    const known = guests.get(id)
    // Times are later than what the same entity has told before a restart of the relay.
    const state = {
      client: known?.client ?? freeClient(id),
      clock: Math.max(clock.now(), (known?.clock ?? 0) + 1),
      json,
    }
    guests.set(id, state)
    return state
  }

  function remove(id: string): readonly AwarenessState[] {
    const known = guests.get(id)
    guests.delete(id)
    return known === undefined ? [] : [{ ...known, clock: known.clock + 1, json: GONE }]
  }

  function freeClient(id: string): number {
    let client = hashOf(`${space}/${topic}/${id}`)
    while (holds(client) || isTaken(client)) client = (client + 1) >>> 0
    return client
  }

  function holds(wanted: number): boolean {
    for (const { client } of guests.values()) if (client === wanted) return true
    return false
  }

  function jsonOf({ state }: Peer): string {
    const json = decoder.decode(state)
    // Editors look for names and cursors in it, and would trip over what is no object.
    return json.startsWith('{') ? json : JSON.stringify({ state: json })
  }

  return {
    say(member, { client, json }) {
      const name = STOCK_PEER + client.toString(36)
      const place = places.get(member) ?? {
        id: `${member.user}/${name}`,
        seat: presence.join(space, topic, member, () => {}),
      }
      places.set(member, place)
      place.seat.set(name, json === GONE ? EMPTY : new TextEncoder().encode(json))
    },
    leave(member) {
      places.get(member)?.seat.leave()
      places.delete(member)
    },
    all: () => [...guests.values()],
    holds,
    renewed: () => [...guests].map(([id, { json }]) => put(id, json)),
    stop() {
      for (const { seat } of places.values()) seat.leave()
      places.clear()
      listening.leave()
    },
  }
}

/** FNV-1a: the same peer has the same client id whenever it comes. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}
