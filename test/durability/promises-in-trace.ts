import { decodeRelayMessage, type Fate } from '@tidemark/core/protocol'
import type { DiskEvent } from './trace.js'

/** Reads off what a relay sent what it has promised: by the time that it leaves the process, it has to be so. */
export interface PromiseReader {
  read(event: DiskEvent & { readonly kind: 'sent' }): readonly Fate[]
}

const UPGRADED = Buffer.from('HTTP/1.1 101 ')
const END_OF_HEAD = '\r\n\r\n'
const BINARY = 2

export function createPromiseReader(): PromiseReader {
  const streams = new Map<string, Buffer>()

  return {
    read({ stream, bytes }) {
      const known = streams.get(stream)
      // Standard output and standard error are sockets, too.
      if (known === undefined && !bytes.subarray(0, UPGRADED.length).equals(UPGRADED)) return []
      const promises: Fate[] = []
      let rest = Buffer.concat([known ?? Buffer.alloc(0), bytes])
      if (known === undefined) rest = rest.subarray(rest.indexOf(END_OF_HEAD) + END_OF_HEAD.length)
      for (let frame = frameIn(rest); frame !== undefined; frame = frameIn(rest)) {
        rest = rest.subarray(frame.end)
        if (frame.opcode === BINARY) promises.push(...promisesOf(frame.payload))
      }
      streams.set(stream, rest)
      return promises
    },
  }
}

function promisesOf(payload: Uint8Array): readonly Fate[] {
  const message = decodeRelayMessage(payload)
  if (message.type === 'ack') return [message]
  return message.type === 'fates' ? message.fates : []
}

/** RFC 6455, 5.2; a server's frames are not masked, and the relay's are never fragmented. */
function frameIn(
  bytes: Buffer,
): { readonly opcode: number; readonly payload: Uint8Array; readonly end: number } | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes.readUInt8(1)
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < start) return undefined
  const length =
    start === 2 ? short : Number(bytes.readUIntBE(start === 4 ? 2 : 4, start === 4 ? 2 : 6))
  const end = start + length
  if (bytes.length < end) return undefined
  return { opcode: bytes.readUInt8(0) & 15, payload: bytes.subarray(start, end), end }
}
