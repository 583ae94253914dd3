import type { Transport, TransportHandlers } from '@tidemark/core'
import type { RelayConnection, RelaySession } from '@tidemark/server'
import type { SeededRandom } from './random.js'
import type { Scheduler } from './scheduler.js'

/** Something that takes connections; undefined while it is down. */
export type Acceptor = () => ((connection: RelayConnection) => RelaySession) | undefined

interface Wire {
  /** Ends it for both sides, as a reset does. Frames that the client sent may still arrive. */
  cut(): void
  /** From now on frames in that direction vanish without anybody being told. */
  blackhole(direction: 'up' | 'down'): void
}

export interface Network {
  /** The transport of one device, which can be unplugged as a whole. */
  transport(isOnline: () => boolean): Transport
  /** Wires that are up. */
  readonly wires: ReadonlySet<Wire>
  /** What faults the network makes by itself. */
  faults: NetworkFaults
}

export interface NetworkFaults {
  /** A frame takes between 1 ms and this. */
  latency: number
  /** The chance that a frame is the last one of its wire. */
  cut: number
  /** The chance that a frame and everything behind it vanishes. */
  blackhole: number
  /** The chance that a push, ack or change arrives twice. */
  duplicate: number
}

export const CALM: NetworkFaults = { latency: 20, cut: 0, blackhole: 0, duplicate: 0 }

/** First bytes of the frames that may come twice: what a retry over another path would repeat. */
const REPEATABLE = new Set([4, 10, 69, 70])

export function createNetwork(
  scheduler: Scheduler,
  random: SeededRandom,
  accept: Acceptor,
): Network {
  const wires = new Set<Wire>()

  function connect(handlers: TransportHandlers, isOnline: () => boolean) {
    let open = true
    let session: RelaySession | undefined
    const swallowed = { up: false, down: false }
    /** Frames of one direction arrive in order: none before the one ahead of it. */
    const arrival = { up: 0, down: 0 }

    function close(code: number, reason: string): void {
      if (!open) return
      open = false
      wires.delete(wire)
      const ending = session
      scheduler.after(latency(), () => handlers.onClose({ code, reason }))
      // Whatever the client had sent is still on its way, and arrives before the end of the connection does.
      scheduler.after(Math.max(0, arrival.up - scheduler.now) + latency(), () => ending?.closed())
    }

    function carry(direction: 'up' | 'down', frame: Uint8Array, deliver: () => void): void {
      // A stream that has lost a frame delivers nothing behind it either.
      if (!isOnline()) swallowed[direction] = true
      if (swallowed[direction]) return
      if (random.chance(network.faults.cut)) {
        close(1006, '')
        return
      }
      if (random.chance(network.faults.blackhole)) {
        swallowed[direction] = true
        return
      }
      const copies =
        REPEATABLE.has(frame[0] ?? -1) && random.chance(network.faults.duplicate) ? 2 : 1
      for (let copy = 0; copy < copies; copy++) {
        arrival[direction] = Math.max(arrival[direction], scheduler.now + latency())
        scheduler.after(arrival[direction] - scheduler.now, deliver)
      }
    }

    const wire: Wire = {
      cut: () => close(1006, ''),
      blackhole(direction) {
        swallowed[direction] = true
      },
    }

    scheduler.after(latency(), () => {
      if (!open) return
      const relay = isOnline() ? accept() : undefined
      if (relay === undefined) {
        close(1006, '')
        return
      }
      wires.add(wire)
      session = relay({
        send(frame) {
          const copy = frame.slice()
          carry('down', copy, () => open && handlers.onMessage(copy))
        },
        close,
        bufferedBytes: 0,
      })
      handlers.onOpen()
    })

    return {
      send(frame: Uint8Array) {
        if (!open) return
        const copy = frame.slice()
        carry('up', copy, () => session?.receive(copy))
      },
      close: (code = 1000, reason = '') => close(code, reason),
    }
  }

  function latency(): number {
    return 1 + random.unit() * network.faults.latency
  }

  const network: Network = {
    wires,
    faults: { ...CALM },
    transport: (isOnline) => ({ connect: (_url, handlers) => connect(handlers, isOnline) }),
  }
  return network
}
