import { type ClientMessage, encodeClientMessage, PROTOCOL_VERSION } from '@tidemark/core/protocol'
import * as encoding from 'lib0/encoding'
import type { SeededRandom } from '../simulation/random.js'
import { createWireWriter, type WireIdentity } from '../support/wire-client.js'

/** Names that no space, collection or entity may have (SEC-11, SEC-13). */
const ODD_NAMES = [
  '..',
  '../../etc/passwd',
  '%2e%2e%2f',
  'a/b',
  'a\u0000b',
  '__proto__',
  'constructor',
  '\u202e',
  '\ud800',
  ' ',
  '',
  'x'.repeat(5_000),
]
const HUGE_NUMBERS = [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, Number.MAX_VALUE]

/**
 * Updates that have broken something: format v2 bytes that hang Yjs' own decoder (yjs#687), counts without anything behind
 * them, what says more than it holds, nothing.
 */
const CORPUS = [
  '000004ae229711010200018801000000010101ffffffff0f0077056e3232323201d708010100',
  '01ffffff0f0100',
  '0100ffffffff0f00',
  'ffffffffff7f',
  '0101010008010a7069636b6c65',
  '0000',
  '00',
  '',
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')))

/** Frames as a hostile client sends them: what never was one, what nearly is, and what is one with hostile content. */
export interface FrameMaker {
  next(): Uint8Array
}

export function createFrameMaker(random: SeededRandom, identity: WireIdentity): FrameMaker {
  // A client id for each, since a relay binds them.
  const writer = createWireWriter(
    identity,
    1 + random.below(2 ** 31),
    `fuzz-${random.below(2 ** 31)}`,
  )
  const name = (): string => `card-${random.below(50)}`

  function valid(): ClientMessage {
    const kind = random.below(10)
    const operation = writer.write(name(), random.below(1_000))
    const messages: readonly ClientMessage[] = [
      { type: 'hello', protocol: PROTOCOL_VERSION, token: 'x', ...identity },
      { type: 'open', channel: random.below(4), space: `fuzz-${random.below(3)}` },
      { type: 'fates', channel: 1, ids: [operation.id, 'another'] },
      {
        type: 'subscribe',
        channel: random.below(3),
        since: random.below(5),
        fresh: random.chance(0.5),
      },
      { type: 'push', channel: 1, operation },
      { type: 'handBack', channel: 1, operation },
      { type: 'ping', nonce: random.below(100) },
      { type: 'auth', token: 'x' },
      { type: 'join', channel: 1, topic: name() },
      {
        type: 'presence',
        channel: 1,
        topic: name(),
        peer: 'peer-1',
        state: random.bytes(random.below(40)),
      },
    ]
    return messages[kind] as ClientMessage
  }

  function mutated(bytes: Uint8Array): Uint8Array {
    let result = [...bytes]
    for (let change = 0; change <= random.below(3); change++) {
      const at = random.below(result.length + 1)
      switch (random.below(5)) {
        case 0:
          result = result.slice(0, at)
          break
        case 1:
          result[at % Math.max(1, result.length)] = random.below(256)
          break
        case 2:
          result.splice(at, 0, ...random.bytes(1 + random.below(4)))
          break
        case 3:
          result.splice(at, 1 + random.below(4))
          break
        default:
          result.splice(at, 0, ...result.slice(at, at + random.below(16)))
      }
    }
    return Uint8Array.from(result, (byte) => byte & 0xff)
  }

  /** A push that is one in every way but its update. */
  function pushOf(update: Uint8Array, isHandBack: boolean): Uint8Array {
    const operation = writer.write(name(), 1)
    const parts = operation.parts.map((part) => ({ ...part, update }))
    const type = isHandBack ? 'handBack' : 'push'
    return encodeClientMessage({ type, channel: 1, operation: { ...operation, parts } })
  }

  function withOddNames(): Uint8Array {
    const odd = random.pick(ODD_NAMES)
    const operation = writer.write(name(), 1)
    const [part] = operation.parts
    const changed = random.pick([{ collection: odd }, { id: odd }, { generation: odd }])
    return encodeClientMessage(
      random.pick<ClientMessage>([
        { type: 'open', channel: 3, space: odd },
        { type: 'hello', protocol: PROTOCOL_VERSION, user: odd, token: odd, replica: odd },
        { type: 'fates', channel: 1, ids: [odd] },
        { type: 'push', channel: 1, operation: { ...operation, id: odd } },
        {
          type: 'push',
          channel: 1,
          operation: { ...operation, parts: part === undefined ? [] : [{ ...part, ...changed }] },
        },
      ]),
    )
  }

  /** The first bytes of a message and then numbers and lengths that nothing is behind. */
  function withHugeNumbers(): Uint8Array {
    const encoder = encoding.createEncoder()
    encoding.writeUint8(encoder, random.below(12))
    for (let count = 0; count <= random.below(5); count++) {
      if (random.chance(0.3)) encoding.writeVarString(encoder, random.pick(ODD_NAMES))
      else encoding.writeVarUint(encoder, random.pick(HUGE_NUMBERS))
    }
    return encoding.toUint8Array(encoder)
  }

  /** A value that is nested far deeper than any stack goes. */
  function deep(): Uint8Array {
    const encoder = encoding.createEncoder()
    for (const number of [1, 1, 1 + random.below(1_000), 0]) encoding.writeVarUint(encoder, number)
    encoding.writeUint8(encoder, 8)
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarString(encoder, 'f:1')
    encoding.writeVarUint(encoder, 1)
    for (let level = 0; level < 1_000 + random.below(9_000); level++) {
      encoding.writeUint8(encoder, 117)
      encoding.writeVarUint(encoder, 1)
    }
    return encoding.toUint8Array(encoder)
  }

  const malformed: readonly (() => Uint8Array)[] = [
    () => random.bytes(random.below(64)),
    () => Uint8Array.of(random.below(16), ...random.bytes(random.below(200))),
    () => mutated(encodeClientMessage(valid())),
    () => mutated(encodeClientMessage(valid())),
    withOddNames,
    withHugeNumbers,
  ]
  const hostile: readonly (() => Uint8Array)[] = [
    () => encodeClientMessage({ type: 'push', channel: 1, operation: writer.write(name(), 1) }),
    () =>
      pushOf(
        mutated(writer.write(name(), 'text').parts[0]?.update ?? new Uint8Array()),
        random.chance(0.3),
      ),
    () => pushOf(random.bytes(random.below(120)), random.chance(0.3)),
    () => pushOf(random.pick(CORPUS), random.chance(0.3)),
    () => pushOf(deep(), random.chance(0.3)),
  ]
  // One malformed frame ends the connection: half of them send none.
  const kinds = random.chance(0.5)
    ? [...malformed, ...hostile, () => encodeClientMessage(valid())]
    : hostile
  return { next: () => random.pick(kinds)() }
}
