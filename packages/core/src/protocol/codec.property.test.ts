import fc from 'fast-check'
import * as encoding from 'lib0/encoding'
import { describe, expect, test } from 'vitest'
import { TidemarkError } from '../errors.js'
import { decodeClientMessage, encodeClientMessage } from './client-codec.js'
import type { ClientMessage, RelayMessage } from './messages.js'
import { decodeRelayMessage, encodeRelayMessage } from './relay-codec.js'
import {
  ALL_REJECT_CODES,
  CLIENT_SAMPLES,
  clientMessages,
  fromHex,
  RELAY_SAMPLES,
  relayMessages,
  toHex,
} from './sample-messages.test-support.js'

const SEED = 20261120

/** The bytes of every sample. What is here is on somebody's wire: it changes with the protocol version only. */
const CLIENT_FRAMES: Record<ClientMessage['type'], string> = {
  hello: '0001036164610774c3b66bc3a96e0672346e64306d',
  open: '0101077465616d2d3432',
  fates:
    '0202022430313939366432632d303030302d373030302d383030302d303030303030303030303031056f74686572',
  subscribe: '0301e72401',
  push: '04012430313939366432632d303030302d373030302d383030302d303030303030303030303031020563617264730263310101300181c097d1edff960302000006626f6172647305623a31407800026732ac0282c097d1edff960303010203',
  ping: '058001',
  auth: '060774c3b66bc3a96e',
  join: '070100',
  leave: '08010863617264732f6331',
  presence: '09010863617264732f6331086b337839717a3077027b7d',
  handBack:
    '0a012430313939366432632d303030302d373030302d383030302d303030303030303030303031020563617264730263310101300181c097d1edff960302000006626f6172647305623a31407800026732ac0282c097d1edff960303010203',
}
const RELAY_FRAMES: Record<RelayMessage['type'], string> = {
  welcome: '400103652d3180d8c1a28c340361646180804080801040e0acc5a28c34',
  opened: '4101c80101',
  fates:
    '4202012430313939366432632d303030302d373030302d383030302d303030303030303030303031c70108deadbeef00010203',
  page: '4301010563617264730263310130c6010581c097d1edff9603020000',
  caughtUp: '4401c8018201',
  changes:
    '4501c9012430313939366432632d303030302d373030302d383030302d303030303030303030303031020563617264730263310101300181c097d1edff960302000006626f6172647305623a31407800026732ac0282c097d1edff960303010203',
  renewed: '4901cb0105636172647302633106302e78386b32cb010581c097d1edff9603020000',
  ack: '46012430313939366432632d303030302d373030302d383030302d303030303030303030303031ca0108deadbeef00010203',
  reject:
    '47012430313939366432632d303030302d373030302d383030302d3030303030303030303030310711546f6f206d616e79206174206f6e63652e01dc0b80d8c1a28c34',
  pong: '48800180d8c1a28c34',
  authenticated: '4ae0acc5a28c34',
  presence: '4b010863617264732f633101010c6164612f6b337839717a307703616461027b7d',
  reset: '4c01',
  wanted: '4d0101056361726473026331',
  purged: '4f018201',
  goodbye: '4e8827',
}

/** Both directions at once: a frame goes to the wrong one as easily as to the right one. */
const decoders = [decodeClientMessage, decodeRelayMessage] as const

/** What a decoder makes of a frame; anything but a message or a `protocol-violation` fails the test. */
function outcomeOf(
  decode: (frame: Uint8Array) => unknown,
  frame: Uint8Array,
): 'message' | 'violation' {
  try {
    decode(frame)
    return 'message'
  } catch (error) {
    if (error instanceof TidemarkError && error.code === 'protocol-violation') return 'violation'
    throw new Error(`${toHex(frame)} makes the decoder throw`, { cause: error })
  }
}

describe('the codec', () => {
  test('gives every client message back as it was', () => {
    fc.assert(
      fc.property(clientMessages, (message) => {
        expect(decodeClientMessage(encodeClientMessage(message))).toEqual(message)
      }),
      { seed: SEED, numRuns: 1000 },
    )
  })

  test('gives every relay message back as it was', () => {
    fc.assert(
      fc.property(relayMessages, (message) => {
        expect(decodeRelayMessage(encodeRelayMessage(message))).toEqual(message)
      }),
      { seed: SEED, numRuns: 1000 },
    )
  })

  test.for(Object.values<ClientMessage>(CLIENT_SAMPLES))(
    'writes and reads the golden bytes of the client message $type',
    (message) => {
      expect(toHex(encodeClientMessage(message))).toBe(CLIENT_FRAMES[message.type])
      expect(decodeClientMessage(fromHex(CLIENT_FRAMES[message.type]))).toStrictEqual(message)
    },
  )

  test.for(Object.values<RelayMessage>(RELAY_SAMPLES))(
    'writes and reads the golden bytes of the relay message $type',
    (message) => {
      expect(toHex(encodeRelayMessage(message))).toBe(RELAY_FRAMES[message.type])
      expect(decodeRelayMessage(fromHex(RELAY_FRAMES[message.type]))).toStrictEqual(message)
    },
  )

  test('gives every code of a rejection a number of its own', () => {
    const numbers = ALL_REJECT_CODES.map((code) => {
      const frame = encodeRelayMessage({ ...RELAY_SAMPLES.reject, id: '', channel: 0, code })
      return [code, frame[3]]
    })
    expect(Object.fromEntries(numbers)).toEqual({
      invalid: 0,
      forbidden: 1,
      'too-large': 2,
      gone: 3,
      generation: 4,
      gap: 5,
      unavailable: 6,
      'rate-limited': 7,
      drift: 8,
    })
  })
})

describe('[SEC] what does not follow the protocol', () => {
  test('random bytes are a message or a protocol violation, and nothing else', () => {
    let messages = 0
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1, 2, 3, 4, 5, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 255),
        fc.uint8Array({ maxLength: 40 }),
        (type, rest) => {
          const frame = new Uint8Array([type, ...rest])
          for (const decode of decoders) {
            if (outcomeOf(decode, frame) === 'message') messages += 1
          }
        },
      ),
      { seed: SEED, numRuns: 5000 },
    )
    // Worth something only if some got through to the end.
    expect(messages).toBeGreaterThan(20)
  })

  test('a frame with bytes changed, cut out or put in is a message or a protocol violation', () => {
    const frames = [
      ...Object.values<ClientMessage>(CLIENT_SAMPLES).map(encodeClientMessage),
      ...Object.values<RelayMessage>(RELAY_SAMPLES).map(encodeRelayMessage),
    ]
    const outcomes = { message: 0, violation: 0 }
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.array(
          fc.record({
            at: fc.nat(200),
            remove: fc.nat(3),
            insert: fc.array(fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.nat(255)), {
              maxLength: 3,
            }),
          }),
          { minLength: 1, maxLength: 3 },
        ),
        (frame, edits) => {
          const mutant = [...frame]
          for (const { at, remove, insert } of edits) {
            mutant.splice(at % (mutant.length + 1), remove, ...insert)
          }
          for (const decode of decoders) outcomes[outcomeOf(decode, new Uint8Array(mutant))] += 1
        },
      ),
      { seed: SEED, numRuns: 5000 },
    )
    expect(Math.min(outcomes.message, outcomes.violation)).toBeGreaterThan(400)
  })

  test('a frame that ends early anywhere is a protocol violation', () => {
    for (const message of Object.values<ClientMessage>(CLIENT_SAMPLES)) {
      const frame = encodeClientMessage(message)
      for (let length = 0; length < frame.length; length++) {
        expect(outcomeOf(decodeClientMessage, frame.subarray(0, length))).toBe('violation')
      }
    }
    for (const message of Object.values<RelayMessage>(RELAY_SAMPLES)) {
      const frame = encodeRelayMessage(message)
      for (let length = 0; length < frame.length; length++) {
        expect(outcomeOf(decodeRelayMessage, frame.subarray(0, length))).toBe('violation')
      }
    }
  })

  test('a frame with bytes after its end is a protocol violation', () => {
    for (const message of Object.values<ClientMessage>(CLIENT_SAMPLES)) {
      const frame = new Uint8Array([...encodeClientMessage(message), 0])
      expect(() => decodeClientMessage(frame)).toThrow('bytes after its end')
    }
    for (const message of Object.values<RelayMessage>(RELAY_SAMPLES)) {
      const frame = new Uint8Array([...encodeRelayMessage(message), 0])
      expect(() => decodeRelayMessage(frame)).toThrow('bytes after its end')
    }
  })

  test('no frame is a message in both directions', () => {
    for (const message of Object.values<ClientMessage>(CLIENT_SAMPLES)) {
      expect(() => decodeRelayMessage(encodeClientMessage(message))).toThrow('unknown type')
    }
    for (const message of Object.values<RelayMessage>(RELAY_SAMPLES)) {
      expect(() => decodeClientMessage(encodeRelayMessage(message))).toThrow('unknown type')
    }
  })

  test('an empty frame is a protocol violation', () => {
    for (const decode of decoders) expect(outcomeOf(decode, new Uint8Array())).toBe('violation')
  })

  test.for([
    ['a list that is longer than any frame', [2, 1], 2 ** 40],
    ['bytes that are longer than the frame', [66, 1, 1, 0, 1], 2 ** 31],
    ['a text that is longer than the frame', [1, 1], 2 ** 31],
    ['a number above what a double holds', [5], 2 ** 60],
  ] as const)('%s costs no memory and is a protocol violation', ([, start, number]) => {
    const encoder = encoding.createEncoder()
    for (const byte of start) encoding.writeUint8(encoder, byte)
    encoding.writeVarUint(encoder, number)
    const frame = encoding.toUint8Array(encoder)
    const decode = (start[0] ?? 0) < 64 ? decodeClientMessage : decodeRelayMessage
    expect(outcomeOf(decode, frame)).toBe('violation')
  })

  test('a list just above the limit is a protocol violation, and one at the limit is not', () => {
    const list = (length: number): Uint8Array =>
      encodeClientMessage({ type: 'fates', channel: 1, ids: new Array(length).fill('') })
    expect(outcomeOf(decodeClientMessage, list(65_536))).toBe('message')
    expect(outcomeOf(decodeClientMessage, list(65_537))).toBe('violation')
  })

  test('a text that is no UTF-8 is a protocol violation, and is not repaired', () => {
    for (const bad of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
      const frame = new Uint8Array([1, 1, bad.length, ...bad])
      expect(outcomeOf(decodeClientMessage, frame)).toBe('violation')
    }
  })

  test('a kind of part that is none is a protocol violation', () => {
    const frame = encodeClientMessage(CLIENT_SAMPLES.push)
    // The kind stands behind the id "c1".
    const kind = toHex(frame).indexOf('026331') / 2 + 3
    expect(frame[kind]).toBe(1)
    frame[kind] = 2
    expect(outcomeOf(decodeClientMessage, frame)).toBe('violation')
  })

  test('a rejection whose code or flag is none is a protocol violation', () => {
    const frame = encodeRelayMessage({ ...RELAY_SAMPLES.reject, id: '', message: '', channel: 0 })
    const [type, channel, id, code, message, retryable] = frame
    expect([type, channel, id, code, message, retryable]).toEqual([71, 0, 0, 7, 0, 1])
    for (const [position, value] of [
      [3, ALL_REJECT_CODES.length],
      [5, 2],
    ] as const) {
      const mutant = frame.slice()
      mutant[position] = value
      expect(outcomeOf(decodeRelayMessage, mutant)).toBe('violation')
    }
  })

  test('bytes that were decoded do not keep their frame alive', () => {
    const frame = encodeRelayMessage(RELAY_SAMPLES.changes)
    const message = decodeRelayMessage(frame)
    expect(message.type).toBe('changes')
    if (message.type !== 'changes') return
    for (const { update } of message.operation.parts) {
      expect(update.buffer).not.toBe(frame.buffer)
      expect(update.buffer.byteLength).toBe(update.length)
    }
  })
})
