import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { createOutgoing } from './outgoing.js'

/** Bytes as a client reads them: final, binary, unmasked (RFC 6455, 5.2). */
function readFrames(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x82)
    const short = bytes[at + 1] ?? 0
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    const length =
      header === 2
        ? short
        : header === 4
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2))
    frames.push(bytes.subarray(at + header, at + header + length))
    at += header + length
  }
  return frames
}

function listen(): { readonly socket: PassThrough; readonly chunks: Buffer[] } {
  const socket = new PassThrough({ highWaterMark: 2 ** 24 })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { socket, chunks }
}

/** An `Outgoing` that flushes when the test says so. */
function startOutgoing() {
  const scheduled: (() => void)[] = []
  const outgoing = createOutgoing((flush) => scheduled.push(flush))
  const flush = (): void => {
    for (const run of scheduled.splice(0)) run()
  }
  return { outgoing, flush }
}

const frame = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill)

it('writes what one task says in one go and in its order, whatever the lengths', async () => {
  const { outgoing, flush } = startOutgoing()
  const { socket, chunks } = listen()
  const outbox = outgoing.open(socket, () => true)
  const lengths = [0, 1, 125, 126, 127, 1_000, 40_000]
  for (const [index, length] of lengths.entries()) outbox.push(frame(length, index))
  expect(outbox.bytes).toBe(lengths.reduce((sum, length) => sum + length, 0))
  expect(socket.readableLength + socket.writableLength).toBe(0)
  flush()
  expect(outbox.bytes).toBe(0)
  await new Promise(setImmediate)
  expect(chunks).toHaveLength(1)
  expect(readFrames(Buffer.concat(chunks)).map(({ length }) => length)).toEqual(lengths)
})

it('writes large messages without putting them together', async () => {
  const { outgoing, flush } = startOutgoing()
  const { socket, chunks } = listen()
  const outbox = outgoing.open(socket, () => true)
  const frames = [frame(70_000, 1), frame(5, 2), frame(65_536, 3), frame(65_535, 4)]
  for (const each of frames) outbox.push(each)
  flush()
  await new Promise(setImmediate)
  expect(readFrames(Buffer.concat(chunks))).toEqual(frames.map((each) => Buffer.from(each)))
})

it('gives everybody what is theirs, when most get the same', async () => {
  const { outgoing, flush } = startOutgoing()
  const [a, b, own, c] = [frame(3, 1), frame(3, 2), frame(3, 3), frame(3, 4)]
  const wanted = [
    [a, b, c],
    [a, own, c],
    [a, b, c],
    [own, b],
    [a, b],
  ]
  const listeners = wanted.map((frames) => {
    const listener = listen()
    const outbox = outgoing.open(listener.socket, () => true)
    for (const each of frames) outbox.push(each)
    return listener
  })
  flush()
  await new Promise(setImmediate)
  for (const [index, { chunks }] of listeners.entries()) {
    expect(chunks).toHaveLength(1)
    const expected = wanted[index]?.map((each) => Buffer.from(each))
    expect(readFrames(Buffer.concat(chunks))).toEqual(expected)
  }
  // The bytes of those who got the same were put together once.
  expect(listeners[2]?.chunks[0]?.buffer).toBe(listeners[0]?.chunks[0]?.buffer)
  expect(listeners[2]?.chunks[0]?.byteOffset).toBe(listeners[0]?.chunks[0]?.byteOffset)
})

it('writes what was said before a close, and nothing to a connection that is not open', async () => {
  const { outgoing, flush } = startOutgoing()
  const { socket, chunks } = listen()
  let isOpen = true
  const outbox = outgoing.open(socket, () => isOpen)
  outbox.push(frame(2, 1))
  outbox.flush()
  outbox.push(frame(2, 2))
  isOpen = false
  flush()
  await new Promise(setImmediate)
  expect(readFrames(Buffer.concat(chunks))).toEqual([Buffer.from(frame(2, 1))])
  expect(outbox.bytes).toBe(0)
})
