import type { Duplex } from 'node:stream'

/** Where the frames of one connection are gathered. */
export interface Outbox {
  push(frame: Uint8Array): void
  /** What was pushed and is not written yet. */
  readonly bytes: number
  /** Writes it now. */
  flush(): void
}

export interface Outgoing {
  /** `isOpen` says whether something may still be written. */
  open(socket: Duplex, isOpen: () => boolean): Outbox
}

/** Frames that were put together, for whoever gets the same ones. */
interface Joined {
  readonly frames: readonly Uint8Array[]
  readonly bytes: Buffer
}

const FINAL_BINARY = 0x82
/** More than this isn't copied to be written at once: a copy would cost more than another write. */
const MAX_JOINED_BYTES = 64 * 1024

/**
 * Writes what one task has to say to a connection in one go. After a commit that is an answer or a change for each of its
 * operations, most of them the same for all who listen: their bytes are put together once, and each connection costs one
 * write however many operations there were.
 *
 * Messages are framed here (RFC 6455, 5.2: final, binary, no mask), because `ws` makes a frame and a system call of each.
 *
 * @param schedule runs a function after the present task
 */
export function createOutgoing(schedule: (flush: () => void) => void = queueMicrotask): Outgoing {
  let waiting: { flush(shared: Map<Uint8Array | undefined, Joined>): void }[] = []

  function flushAll(): void {
    const shared = new Map<Uint8Array | undefined, Joined>()
    const now = waiting
    waiting = []
    for (const outbox of now) outbox.flush(shared)
  }

  return {
    open(socket, isOpen) {
      let frames: Uint8Array[] = []
      let bytes = 0

      function flush(shared: Map<Uint8Array | undefined, Joined>): void {
        if (frames.length === 0) return
        const [all, size] = [frames, bytes]
        frames = []
        bytes = 0
        if (!isOpen()) return
        if (size > MAX_JOINED_BYTES) writeEach(socket, all)
        else socket.write(joined(all, size, shared))
      }

      return {
        get bytes() {
          return bytes
        },
        push(frame) {
          if (frames.length === 0) {
            if (waiting.length === 0) schedule(flushAll)
            waiting.push({ flush })
          }
          frames.push(frame)
          bytes += frame.length
        },
        flush: () => flush(new Map()),
      }
    },
  }
}

/** The first who gets a message decides what is shared; whoever gets it among others has bytes of their own. */
function joined(
  frames: readonly Uint8Array[],
  size: number,
  shared: Map<Uint8Array | undefined, Joined>,
): Buffer {
  const known = shared.get(frames[0])
  if (known !== undefined && areSame(known.frames, frames)) return known.bytes
  const bytes = join(frames, size)
  if (known === undefined) shared.set(frames[0], { frames, bytes })
  return bytes
}

function areSame(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((frame, index) => frame === b[index])
}

function headerSize({ length }: Uint8Array): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}

function writeHeader(bytes: Buffer, at: number, frame: Uint8Array): number {
  const size = headerSize(frame)
  bytes[at] = FINAL_BINARY
  bytes[at + 1] = size === 2 ? frame.length : size === 4 ? 126 : 127
  if (size === 4) bytes.writeUInt16BE(frame.length, at + 2)
  if (size === 10) bytes.writeBigUInt64BE(BigInt(frame.length), at + 2)
  return at + size
}

function join(frames: readonly Uint8Array[], size: number): Buffer {
  const headers = frames.reduce((sum, frame) => sum + headerSize(frame), 0)
  // From the pool if it is small: many are.
  const bytes = Buffer.allocUnsafe(size + headers)
  let at = 0
  for (const frame of frames) {
    at = writeHeader(bytes, at, frame)
    bytes.set(frame, at)
    at += frame.length
  }
  return bytes
}

function writeEach(socket: Duplex, frames: readonly Uint8Array[]): void {
  socket.cork()
  for (const frame of frames) {
    const header = Buffer.allocUnsafe(headerSize(frame))
    writeHeader(header, 0, frame)
    socket.write(header)
    socket.write(frame)
  }
  socket.uncork()
}
