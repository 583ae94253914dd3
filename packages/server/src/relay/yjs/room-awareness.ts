import type { Clock } from '@tidemark/core'
import type { PresencePort } from '../ports.js'
import type { YjsAddress } from './address.js'
import { type AwarenessState, createAwarenessTable } from './awareness.js'
import type { RoomMember } from './member.js'
import { encodeAwareness } from './messages.js'
import { createPresenceBridge } from './presence-bridge.js'

/** What moves within it is told once: some twenty cursors a second, however fast they move. */
const WINDOW_MS = 50
/** How often is looked for who has gone without a word, and who has heard nothing for long. */
const TICK_MS = 10_000

/** The awareness of one room, on its way to everybody in it. */
export interface RoomAwareness {
  /** @throws Refusal */
  take(member: RoomMember, states: readonly AwarenessState[]): void
  leave(member: RoomMember): void
  /** The client id that the member speaks for. */
  clientOf(member: RoomMember): number | undefined
  /** Everybody who is there, as one frame. */
  frame(): Uint8Array
  stop(): void
}

export interface RoomAwarenessOptions {
  readonly clock: Clock
  readonly members: ReadonlySet<RoomMember>
  readonly address: YjsAddress
  readonly presence: PresencePort
}

export function createRoomAwareness(options: RoomAwarenessOptions): RoomAwareness {
  const { clock, members } = options
  const table = createAwarenessTable<RoomMember>()
  let news = new Map<number, AwarenessState>()
  let cancelFlush = (): void => {}
  let cancelTick = clock.schedule(tick, TICK_MS)
  const bridge = createPresenceBridge({ ...options, isTaken: table.has, tell })

  function tell(states: readonly AwarenessState[]): void {
    if (states.length === 0) return
    if (news.size === 0) cancelFlush = clock.schedule(flush, WINDOW_MS)
    for (const state of states) news.set(state.client, state)
  }

  function flush(): void {
    const frame = encodeAwareness([...news.values()])
    news = new Map()
    // The one that said it as well: stock clients take silence for a dead connection.
    for (const member of [...members]) member.send(frame)
  }

  function tick(): void {
    tell(table.expire(clock.now()))
    tell(bridge.renewed())
    for (const member of [...members]) member.keepAlive()
    cancelTick = clock.schedule(tick, TICK_MS)
  }

  return {
    take(member, states) {
      const stock = states.filter(({ client }) => !bridge.holds(client))
      const own = table.take(member, stock, clock.now())
      for (const state of own) bridge.say(member, state)
      tell(own)
    },
    leave(member) {
      bridge.leave(member)
      tell(table.leave(member))
    },
    clientOf: table.clientOf,
    frame: () => encodeAwareness([...table.all(), ...bridge.all()]),
    stop() {
      cancelFlush()
      cancelTick()
      bridge.stop()
    },
  }
}
