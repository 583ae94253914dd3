import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { encodeClientMessage } from './client-codec.js'
import type { ClientMessage, RelayMessage } from './messages.js'
import { encodeRelayMessage } from './relay-codec.js'
import {
  ALL_REJECT_CODES,
  CLIENT_SAMPLES,
  RELAY_SAMPLES,
  toHex,
} from './sample-messages.test-support.js'
import { PROTOCOL_VERSION, SUBPROTOCOL } from './version.js'

/**
 * By protocol version, what the format of its frames hashes to. Entries are added and never changed: a version that was
 * released is spoken by devices that were not updated.
 */
const FORMATS: Readonly<Record<number, string>> = {
  1: 'f65813bf78bbe8cc8ac710472f8da9bd',
  2: '25dbad76c895cff306fa217ce1dde11b',
  3: 'a74532b559161a85cd37bbbba6edabe5',
}

/** Every type of message with its number and layout, and every code of a rejection with its number. */
function formatHash(): string {
  const frames = [
    ...Object.values<ClientMessage>(CLIENT_SAMPLES).map((message) => [
      `client ${message.type}`,
      toHex(encodeClientMessage(message)),
    ]),
    ...Object.values<RelayMessage>(RELAY_SAMPLES).map((message) => [
      `relay ${message.type}`,
      toHex(encodeRelayMessage(message)),
    ]),
    ...ALL_REJECT_CODES.map((code) => [
      `reject ${code}`,
      toHex(encodeRelayMessage({ ...RELAY_SAMPLES.reject, code })),
    ]),
  ]
  return createHash('sha256').update(JSON.stringify(frames.sort())).digest('hex').slice(0, 32)
}

test('the format of the frames changes only together with PROTOCOL_VERSION', () => {
  expect(
    formatHash(),
    'The bytes of a message have changed. Raise PROTOCOL_VERSION and SUBPROTOCOL by one, add a line to the history in ' +
      'version.ts, bring docs/protocol.md up to date, and add the new hash to FORMATS. Only a format that was never ' +
      'released may be changed in place.',
  ).toBe(FORMATS[PROTOCOL_VERSION])
})

test('the subprotocol names the protocol version', () => {
  expect(SUBPROTOCOL).toBe(`tidemark.v${PROTOCOL_VERSION}`)
})
