import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/** What a client's frame is masked with: zeros leave the payload as it is (RFC 6455, 5.3). */
const NO_MASK = new Uint8Array(4)
const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10

/**
 * A websocket client that does next to nothing, the same for all contenders, so that what is measured is the server:
 * one buffer a write, no mask, no copy of what is received.
 */
export interface RawSocket {
  /** Frames made by `framed`, any number of them. */
  write(frames: Uint8Array): void
  /** `bytes[start, end)` is one message; only valid during the call. */
  onMessage: (bytes: Buffer, start: number, end: number) => void
  readonly receivedBytes: number
  readonly isClosed: boolean
  onClose: () => void
  /** Without a goodbye. */
  destroy(): void
}

export async function openRawSocket(
  port: number,
  path: string,
  subprotocol?: string,
): Promise<RawSocket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const rest = await upgraded(socket, port, path, subprotocol)
  return speak(socket, rest)
}

/** A binary message as it goes over the socket. */
export function framed(payload: Uint8Array, kind = BINARY): Buffer {
  const { length } = payload
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const frame = Buffer.alloc(2 + extended + NO_MASK.length + length)
  frame[0] = 0x80 | kind
  frame[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127)
  if (extended === 2) frame.writeUInt16BE(length, 2)
  if (extended === 8) frame.writeBigUInt64BE(BigInt(length), 2)
  frame.set(payload, 2 + extended + NO_MASK.length)
  return frame
}

function upgraded(
  socket: Socket,
  port: number,
  path: string,
  subprotocol: string | undefined,
): Promise<Buffer> {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
  ]
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0)
    socket.once('connect', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`))
    socket.once('error', reject)
    socket.on('data', function read(chunk) {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      socket.off('data', read)
      socket.off('error', reject)
      if (head.subarray(0, 12).toString() === 'HTTP/1.1 101') resolve(head.subarray(end + 4))
      else reject(new Error(`The server refused: ${head.subarray(0, end).toString()}`))
    })
  })
}

function speak(socket: Socket, rest: Buffer): RawSocket {
  /** Chunks of a message that is not complete, and how many bytes it takes to look at them again. */
  let gathered: Buffer[] = []
  let gatheredBytes = 0
  let wanted = 2

  function receive(chunk: Buffer): void {
    raw.receivedBytes += chunk.length
    gathered.push(chunk)
    gatheredBytes += chunk.length
    if (gatheredBytes < wanted) return
    const bytes = gathered.length === 1 ? chunk : Buffer.concat(gathered, gatheredBytes)
    gathered = []
    gatheredBytes = 0
    keepRest(bytes, readAll(bytes))
  }

  function keepRest(bytes: Buffer, from: number): void {
    if (from === bytes.length) return
    gathered = [bytes.subarray(from)]
    gatheredBytes = bytes.length - from
  }

  /** Reads the messages that are complete; returns where the next one starts. */
  function readAll(bytes: Buffer): number {
    let at = 0
    for (;;) {
      const left = bytes.length - at
      wanted = 2
      if (left < wanted) return at
      const short = (bytes[at + 1] ?? 0) & 0x7f
      const header = short < 126 ? 2 : short === 126 ? 4 : 10
      wanted = header
      if (left < wanted) return at
      const length =
        header === 2
          ? short
          : header === 4
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2))
      wanted = header + length
      if (left < wanted) return at
      const kind = (bytes[at] ?? 0) & 0x0f
      const start = at + header
      at = start + length
      if (kind === BINARY) raw.onMessage(bytes, start, at)
      else if (kind === PING) socket.write(framed(bytes.subarray(start, at), PONG))
      else if (kind === CLOSE) socket.end()
    }
  }

  const raw = {
    receivedBytes: 0,
    isClosed: false,
    onMessage(_bytes: Buffer, _start: number, _end: number): void {},
    onClose(): void {},
    write: (frames: Uint8Array) => void socket.write(frames),
    destroy: () => void socket.destroy(),
  }
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    raw.isClosed = true
    raw.onClose()
  })
  socket.on('data', receive)
  if (rest.length > 0) receive(rest)
  return raw
}
