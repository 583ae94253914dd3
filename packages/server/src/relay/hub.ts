import { encodeRelayMessage, type WireOperation } from '@tidemark/core/protocol'

/** A channel that has caught up and gets every operation of its space from then on. */
export interface Subscriber {
  /** The number that its connection gave to the space. */
  readonly channel: number
  /** Never throws. */
  send(frame: Uint8Array): void
  /** Ends its connection, so that it connects again and catches up. */
  drop(): void
}

/**
 * Who listens to which space. Everybody in a space has seen the same sequence; whoever would see a gap is dropped instead,
 * and catches up by sequence. That happens only when a commit took place which was reported as failed.
 */
export interface Hub {
  /** `sequence` is the head that the subscriber has caught up to. */
  join(space: string, subscriber: Subscriber, sequence: number): void
  leave(space: string, subscriber: Subscriber): void
  /** Tells everybody in the space but the channel that pushed the operation: that one gets an acknowledgement. */
  broadcast(space: string, sequence: number, operation: WireOperation, author: Subscriber): void
  /** Tells everybody in the space; `encode` makes the frame for a channel. */
  announce(space: string, sequence: number, encode: (channel: number) => Uint8Array): void
  /** Tells everybody in the space something that has no sequence of its own, behind what was told before. */
  tell(space: string, encode: (channel: number) => Uint8Array): void
  /** Drops who has not seen everything up to `sequence`. */
  align(space: string, sequence: number): void
  /** The spaces that somebody listens to. */
  spaces(): readonly string[]
}

interface Audience {
  /** What all of them have seen. */
  sequence: number
  readonly subscribers: Set<Subscriber>
}

/** @param left called when nobody listens to a space any more */
export function createHub(left: (space: string) => void = () => {}): Hub {
  const audiences = new Map<string, Audience>()

  function align(space: string, sequence: number): void {
    const audience = audiences.get(space)
    if (audience === undefined || audience.sequence === sequence) return
    audiences.delete(space)
    for (const subscriber of audience.subscribers) subscriber.drop()
  }

  function announce(
    space: string,
    sequence: number,
    encode: (channel: number) => Uint8Array,
    except?: Subscriber,
  ): void {
    align(space, sequence - 1)
    const audience = audiences.get(space)
    if (audience === undefined) return
    audience.sequence = sequence
    send(audience, encode, except)
  }

  function send(
    audience: Audience,
    encode: (channel: number) => Uint8Array,
    except?: Subscriber,
  ): void {
    // Clients number their channels from small numbers up: most frames are the same bytes.
    const frames = new Map<number, Uint8Array>()
    for (const subscriber of audience.subscribers) {
      if (subscriber === except) continue
      const { channel } = subscriber
      let frame = frames.get(channel)
      if (frame === undefined) {
        frame = encode(channel)
        frames.set(channel, frame)
      }
      subscriber.send(frame)
    }
  }

  return {
    join(space, subscriber, sequence) {
      align(space, sequence)
      const audience = audiences.get(space)
      if (audience !== undefined) audience.subscribers.add(subscriber)
      else audiences.set(space, { sequence, subscribers: new Set([subscriber]) })
    },
    leave(space, subscriber) {
      const audience = audiences.get(space)
      audience?.subscribers.delete(subscriber)
      if (audience?.subscribers.size !== 0) return
      audiences.delete(space)
      left(space)
    },
    broadcast(space, sequence, operation, author) {
      const encode = (channel: number): Uint8Array =>
        encodeRelayMessage({ type: 'changes', channel, sequence, operation })
      announce(space, sequence, encode, author)
    },
    announce: (space, sequence, encode) => announce(space, sequence, encode),
    tell(space, encode) {
      const audience = audiences.get(space)
      if (audience !== undefined) send(audience, encode)
    },
    align,
    spaces: () => [...audiences.keys()],
  }
}
