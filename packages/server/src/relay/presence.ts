import type { Clock } from '@tidemark/core'
import { encodeRelayMessage, PEER_NAME, type Peer, sameBytes } from '@tidemark/core/protocol'
import type { Limits } from './limits.js'
import type { PresenceGuest, PresenceNews, PresencePort, PresenceSeat } from './ports.js'

/** Who is where right now. In memory only: it is gone with the process, and every client says it again. */
export interface Presence extends PresencePort {
  /** Nothing is told any more. */
  stop(): void
}

export type PresenceLimits = Pick<
  Limits,
  | 'presenceStateBytes'
  | 'presenceBytes'
  | 'presenceTabs'
  | 'presencePeers'
  | 'presenceTick'
  | 'presenceTickBytes'
  | 'presenceExpiry'
  | 'pageLowWater'
>

interface Present extends Peer {
  readonly owner: Seat
  /** Sweeps since it was last said. */
  age: number
}

interface Seat {
  readonly guest: PresenceGuest
  readonly tell: (news: PresenceNews) => void
  /** How many peers are here through it. */
  peers: number
}

interface Topic {
  readonly key: string
  readonly name: string
  readonly peers: Map<string, Present>
  /** What those who are up to date have not been told: by id, the longest ago first. */
  readonly changed: Map<string, Peer>
  readonly upToDate: Set<Seat>
  /** They have just come, or their links were full: they are told everything. */
  readonly behind: Set<Seat>
}

/** What is told at once. A list is cut into frames of this size. */
const FRAME_BYTES = 64 * 1024
const FRAME_PEERS = 256
/** A frame costs about as much as so many bytes, however short it is. */
const FRAME_COST = 512
/** Expiry is looked for so often in its time: nobody is there longer, and nobody leaves before three quarters of it. */
const SWEEPS = 4

const GONE = new Uint8Array()

/**
 * Changes are gathered: a topic is told at most once a tick, the last state of each peer, in one frame that is encoded once
 * for all. So n people who move their cursors cost n frames a tick, however often each of them moves. A tick sends so much
 * and no more; what is left waits for the next one, and operations go in between.
 */
export function createPresence({
  clock,
  limits,
}: {
  readonly clock: Clock
  readonly limits: PresenceLimits
}): Presence {
  const topics = new Map<string, Topic>()
  /** Topics with something to tell, those that have waited longest first. */
  const due = new Set<Topic>()
  const bytesOf = new WeakMap<PresenceGuest, number>()
  let cancelTick: (() => void) | undefined
  let cancelSweep: (() => void) | undefined
  let stopped = false

  /** The first change after a rest is told at once. */
  function wake(topic: Topic): void {
    if (stopped) return
    due.add(topic)
    cancelTick ??= clock.schedule(tick, 0)
  }

  function tick(): void {
    cancelTick = undefined
    if (due.size === 0) return
    let left = limits.presenceTickBytes
    for (const topic of [...due]) {
      if (left <= 0) break
      due.delete(topic)
      left -= tellChanges(topic, left)
      left -= tellEverything(topic, left)
      if (topic.changed.size > 0 || topic.behind.size > 0) due.add(topic)
    }
    cancelTick = clock.schedule(tick, limits.presenceTick)
  }

  function tellChanges(topic: Topic, budget: number): number {
    if (topic.changed.size === 0) return 0
    for (const seat of topic.upToDate) {
      if (seat.guest.bufferedBytes <= limits.pageLowWater) continue
      topic.upToDate.delete(seat)
      topic.behind.add(seat)
    }
    const share = Math.min(FRAME_BYTES, budget / Math.max(1, topic.upToDate.size) - FRAME_COST)
    const news = newsOf(topic, false, takeFrame(topic.changed, share))
    let cost = 0
    for (const seat of topic.upToDate) cost += tell(seat, news)
    return cost
  }

  function tellEverything(topic: Topic, budget: number): number {
    let cost = 0
    let list: PresenceNews[] | undefined
    for (const seat of topic.behind) {
      // One at least, or changes of the others could keep it waiting for ever.
      if (cost > 0 && cost >= budget) break
      if (seat.guest.bufferedBytes > limits.pageLowWater) continue
      list ??= everybody(topic)
      topic.behind.delete(seat)
      topic.upToDate.add(seat)
      for (const news of list) cost += tell(seat, news)
    }
    return cost
  }

  function everybody(topic: Topic): PresenceNews[] {
    const rest = new Map<string, Peer>(topic.peers)
    const list = [newsOf(topic, true, takeFrame(rest, FRAME_BYTES))]
    while (rest.size > 0) list.push(newsOf(topic, false, takeFrame(rest, FRAME_BYTES)))
    return list
  }

  function sweep(): void {
    cancelSweep = undefined
    for (const topic of topics.values()) {
      for (const peer of topic.peers.values()) {
        peer.age += 1
        if (peer.age >= SWEEPS) remove(topic, peer)
      }
    }
    keepSweeping()
  }

  function keepSweeping(): void {
    if (stopped || topics.size === 0) return
    cancelSweep ??= clock.schedule(sweep, limits.presenceExpiry / SWEEPS)
  }

  function account(seat: Seat, bytes: number, peers: number): void {
    bytesOf.set(seat.guest, (bytesOf.get(seat.guest) ?? 0) + bytes)
    seat.peers += peers
  }

  function remove(topic: Topic, peer: Present): void {
    topic.peers.delete(peer.id)
    account(peer.owner, -peer.state.length, -1)
    changed(topic, { id: peer.id, user: peer.user, state: GONE })
  }

  function changed(topic: Topic, peer: Peer): void {
    topic.changed.set(peer.id, peer)
    if (topic.changed.size > limits.presencePeers) {
      // More came and went than there can be: a list of those who are here is shorter.
      topic.changed.clear()
      for (const seat of topic.upToDate) topic.behind.add(seat)
      topic.upToDate.clear()
    }
    wake(topic)
  }

  function hasRoom(topic: Topic, seat: Seat, known: Present | undefined, bytes: number): boolean {
    const own = known?.owner === seat
    const freed = known !== undefined && known.owner.guest === seat.guest ? known.state.length : 0
    return (
      bytes <= limits.presenceStateBytes &&
      (bytesOf.get(seat.guest) ?? 0) - freed + bytes <= limits.presenceBytes &&
      (own || seat.peers < limits.presenceTabs) &&
      (known !== undefined || topic.peers.size < limits.presencePeers)
    )
  }

  function set(topic: Topic, seat: Seat, name: string, state: Uint8Array): void {
    const { user } = seat.guest
    const id = `${user}/${name}`
    const known = topic.peers.get(id)
    const isTaken =
      state.length > 0 && PEER_NAME.test(name) && hasRoom(topic, seat, known, state.length)
    if (!isTaken) {
      if (known?.owner === seat) remove(topic, known)
      return
    }
    if (known?.owner === seat && sameBytes(known.state, state)) {
      known.age = 0
      return
    }
    // A tab that comes back over another link takes its place over: the former link may not know yet that it is dead.
    if (known !== undefined) account(known.owner, -known.state.length, -1)
    account(seat, state.length, 1)
    const peer: Present = { id, user, state, owner: seat, age: 0 }
    topic.peers.set(id, peer)
    if (known !== undefined && sameBytes(known.state, state)) return
    changed(topic, peer)
  }

  function leave(topic: Topic, seat: Seat): void {
    for (const peer of topic.peers.values()) if (peer.owner === seat) remove(topic, peer)
    topic.upToDate.delete(seat)
    topic.behind.delete(seat)
    if (topic.upToDate.size > 0 || topic.behind.size > 0) return
    topics.delete(topic.key)
    due.delete(topic)
  }

  return {
    join(space, name, guest, tellGuest): PresenceSeat {
      const key = `${space}/${name}`
      const topic = topics.get(key) ?? {
        key,
        name,
        peers: new Map(),
        changed: new Map(),
        upToDate: new Set(),
        behind: new Set(),
      }
      topics.set(key, topic)
      const seat: Seat = { guest, tell: tellGuest, peers: 0 }
      topic.behind.add(seat)
      wake(topic)
      keepSweeping()
      const isHere = (): boolean => topic.upToDate.has(seat) || topic.behind.has(seat)
      return {
        ask() {
          if (!topic.upToDate.delete(seat)) return
          topic.behind.add(seat)
          wake(topic)
        },
        set: (peer, state) => isHere() && set(topic, seat, peer, state),
        leave: () => isHere() && leave(topic, seat),
      }
    },
    stop() {
      stopped = true
      cancelTick?.()
      cancelSweep?.()
    },
  }
}

/** Takes the first peers that fit, one at least. */
function takeFrame(peers: Map<string, Peer>, bytes: number): Peer[] {
  const taken: Peer[] = []
  let size = 0
  for (const peer of peers.values()) {
    size += sizeOf(peer)
    if (taken.length > 0 && (size > bytes || taken.length >= FRAME_PEERS)) break
    peers.delete(peer.id)
    taken.push(peer)
  }
  return taken
}

function sizeOf({ id, user, state }: Peer): number {
  return id.length + user.length + state.length
}

function newsOf(topic: Topic, all: boolean, peers: readonly Peer[]): PresenceNews {
  const frames = new Map<number, Uint8Array>()
  return {
    all,
    peers,
    frame(channel) {
      // Clients number their channels from small numbers up: most frames are the same bytes.
      let frame = frames.get(channel)
      if (frame === undefined) {
        frame = encodeRelayMessage({ type: 'presence', channel, topic: topic.name, all, peers })
        frames.set(channel, frame)
      }
      return frame
    },
  }
}

function tell(seat: Seat, news: PresenceNews): number {
  seat.tell(news)
  return news.peers.reduce((sum, peer) => sum + sizeOf(peer), FRAME_COST)
}
