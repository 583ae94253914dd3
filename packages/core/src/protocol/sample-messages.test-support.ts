import fc from 'fast-check'
import type {
  ClientMessage,
  EntityState,
  Fate,
  OperationPart,
  RejectCode,
  RelayMessage,
} from './messages.js'

type ByType<M extends { readonly type: string }> = {
  readonly [T in M['type']]: Extract<M, { readonly type: T }>
}

const digest = new Uint8Array([0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3])
const id = '01996d2c-0000-7000-8000-000000000001'
const operation = {
  id,
  parts: [
    {
      collection: 'cards',
      id: 'c1',
      kind: 'create',
      generation: '0',
      sequence: 1,
      lastModified: 1_790_000_000_000_001,
      update: new Uint8Array([0, 0]),
    },
    {
      collection: 'boards',
      id: 'b:1@x',
      kind: 'update',
      generation: 'g2',
      sequence: 300,
      lastModified: 1_790_000_000_000_002,
      update: new Uint8Array([1, 2, 3]),
    },
  ],
} as const

/** One message of each type, with every field set to something that shows. */
export const CLIENT_SAMPLES: ByType<ClientMessage> = {
  hello: { type: 'hello', protocol: 1, user: 'ada', token: 'tökén', replica: 'r4nd0m' },
  open: { type: 'open', channel: 1, space: 'team-42' },
  fates: { type: 'fates', channel: 2, ids: [id, 'other'] },
  subscribe: { type: 'subscribe', channel: 1, since: 4711, fresh: true },
  push: { type: 'push', channel: 1, operation },
  ping: { type: 'ping', nonce: 128 },
  auth: { type: 'auth', token: 'tökén' },
  join: { type: 'join', channel: 1, topic: '' },
  leave: { type: 'leave', channel: 1, topic: 'cards/c1' },
  presence: {
    type: 'presence',
    channel: 1,
    topic: 'cards/c1',
    peer: 'k3x9qz0w',
    state: new Uint8Array([123, 125]),
  },
  handBack: { type: 'handBack', channel: 1, operation },
}

export const RELAY_SAMPLES: ByType<RelayMessage> = {
  welcome: {
    type: 'welcome',
    protocol: 1,
    epoch: 'e-1',
    serverTime: 1_790_000_000_000,
    user: 'ada',
    limits: { maxFrameBytes: 1_048_576, maxOperationBytes: 262_144, maxInFlight: 64 },
    tokenExpiresAt: 1_790_000_060_000,
  },
  opened: { type: 'opened', channel: 1, head: 200, role: 'write' },
  fates: { type: 'fates', channel: 2, fates: [{ id, sequence: 199, digest }] },
  page: {
    type: 'page',
    channel: 1,
    entities: [
      {
        collection: 'cards',
        id: 'c1',
        generation: '0',
        confirmedSequence: 198,
        sequence: 5,
        lastModified: 1_790_000_000_000_001,
        bytes: new Uint8Array([0, 0]),
      },
    ],
  },
  caughtUp: { type: 'caughtUp', channel: 1, sequence: 200, horizon: 130 },
  changes: { type: 'changes', channel: 1, sequence: 201, operation },
  renewed: {
    type: 'renewed',
    channel: 1,
    sequence: 203,
    entity: {
      collection: 'cards',
      id: 'c1',
      generation: '0.x8k2',
      confirmedSequence: 203,
      sequence: 5,
      lastModified: 1_790_000_000_000_001,
      bytes: new Uint8Array([0, 0]),
    },
  },
  ack: { type: 'ack', channel: 1, id, sequence: 202, digest },
  reject: {
    type: 'reject',
    channel: 1,
    id,
    code: 'rate-limited',
    message: 'Too many at once.',
    retryable: true,
    retryAfter: 1500,
    serverTime: 1_790_000_000_000,
  },
  pong: { type: 'pong', nonce: 128, serverTime: 1_790_000_000_000 },
  authenticated: { type: 'authenticated', tokenExpiresAt: 1_790_000_060_000 },
  presence: {
    type: 'presence',
    channel: 1,
    topic: 'cards/c1',
    all: true,
    peers: [{ id: 'ada/k3x9qz0w', user: 'ada', state: new Uint8Array([123, 125]) }],
  },
  reset: { type: 'reset', channel: 1 },
  wanted: { type: 'wanted', channel: 1, entities: [{ collection: 'cards', id: 'c1' }] },
  purged: { type: 'purged', channel: 1, horizon: 130 },
  goodbye: { type: 'goodbye', spread: 5000 },
}

const uint = fc.oneof(
  fc.constantFrom(0, 1, 127, 128, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER),
  fc.maxSafeNat(),
)
/** Any text that UTF-8 can say: no half surrogate pairs. */
const text = fc.string({ unit: 'binary', maxLength: 24 })
const bytes = fc.uint8Array({ maxLength: 64 })

const part: fc.Arbitrary<OperationPart> = fc.record({
  collection: text,
  id: text,
  kind: fc.constantFrom('create', 'update'),
  generation: text,
  sequence: uint,
  lastModified: uint,
  update: bytes,
})
const wireOperation = fc.record({ id: text, parts: fc.array(part, { maxLength: 4 }) })
const fate: fc.Arbitrary<Fate> = fc.record({ id: text, sequence: uint, digest: bytes })
const entity: fc.Arbitrary<EntityState> = fc.record({
  collection: text,
  id: text,
  generation: text,
  confirmedSequence: uint,
  sequence: uint,
  lastModified: uint,
  bytes,
})

/** Every code: the compiler says when one is missing. */
const REJECT_CODES: Record<RejectCode, true> = {
  invalid: true,
  forbidden: true,
  'too-large': true,
  gone: true,
  generation: true,
  gap: true,
  unavailable: true,
  'rate-limited': true,
  drift: true,
}
export const ALL_REJECT_CODES: readonly RejectCode[] = Object.keys(REJECT_CODES) as RejectCode[]

type Arbitraries<M extends { readonly type: string }> = {
  readonly [T in M['type']]: fc.Arbitrary<Extract<M, { readonly type: T }>>
}

const CLIENT: Arbitraries<ClientMessage> = {
  hello: fc.record({
    type: fc.constant('hello'),
    protocol: uint,
    user: text,
    token: text,
    replica: text,
  }),
  open: fc.record({ type: fc.constant('open'), channel: uint, space: text }),
  fates: fc.record({
    type: fc.constant('fates'),
    channel: uint,
    ids: fc.array(text, { maxLength: 20 }),
  }),
  subscribe: fc.record({
    type: fc.constant('subscribe'),
    channel: uint,
    since: uint,
    fresh: fc.boolean(),
  }),
  push: fc.record({ type: fc.constant('push'), channel: uint, operation: wireOperation }),
  ping: fc.record({ type: fc.constant('ping'), nonce: uint }),
  auth: fc.record({ type: fc.constant('auth'), token: text }),
  join: fc.record({ type: fc.constant('join'), channel: uint, topic: text }),
  leave: fc.record({ type: fc.constant('leave'), channel: uint, topic: text }),
  presence: fc.record({
    type: fc.constant('presence'),
    channel: uint,
    topic: text,
    peer: text,
    state: bytes,
  }),
  handBack: fc.record({ type: fc.constant('handBack'), channel: uint, operation: wireOperation }),
}

const RELAY: Arbitraries<RelayMessage> = {
  welcome: fc.record({
    type: fc.constant('welcome'),
    protocol: uint,
    epoch: text,
    serverTime: uint,
    user: text,
    limits: fc.record({ maxFrameBytes: uint, maxOperationBytes: uint, maxInFlight: uint }),
    tokenExpiresAt: uint,
  }),
  opened: fc.record({
    type: fc.constant('opened'),
    channel: uint,
    head: uint,
    role: fc.constantFrom('read', 'write', 'admin'),
  }),
  fates: fc.record({
    type: fc.constant('fates'),
    channel: uint,
    fates: fc.array(fate, { maxLength: 5 }),
  }),
  page: fc.record({
    type: fc.constant('page'),
    channel: uint,
    entities: fc.array(entity, { maxLength: 5 }),
  }),
  caughtUp: fc.record({
    type: fc.constant('caughtUp'),
    channel: uint,
    sequence: uint,
    horizon: uint,
  }),
  changes: fc.record({
    type: fc.constant('changes'),
    channel: uint,
    sequence: uint,
    operation: wireOperation,
  }),
  renewed: fc.record({
    type: fc.constant('renewed'),
    channel: uint,
    sequence: uint,
    entity,
  }),
  ack: fc.record({
    type: fc.constant('ack'),
    channel: uint,
    id: text,
    sequence: uint,
    digest: bytes,
  }),
  reject: fc.record({
    type: fc.constant('reject'),
    channel: uint,
    id: text,
    code: fc.constantFrom(...ALL_REJECT_CODES),
    message: text,
    retryable: fc.boolean(),
    retryAfter: uint,
    serverTime: uint,
  }),
  pong: fc.record({ type: fc.constant('pong'), nonce: uint, serverTime: uint }),
  authenticated: fc.record({ type: fc.constant('authenticated'), tokenExpiresAt: uint }),
  presence: fc.record({
    type: fc.constant('presence'),
    channel: uint,
    topic: text,
    all: fc.boolean(),
    peers: fc.array(fc.record({ id: text, user: text, state: bytes }), { maxLength: 4 }),
  }),
  reset: fc.record({ type: fc.constant('reset'), channel: uint }),
  wanted: fc.record({
    type: fc.constant('wanted'),
    channel: uint,
    entities: fc.array(fc.record({ collection: text, id: text }), { maxLength: 4 }),
  }),
  purged: fc.record({ type: fc.constant('purged'), channel: uint, horizon: uint }),
  goodbye: fc.record({ type: fc.constant('goodbye'), spread: uint }),
}

export const clientMessages: fc.Arbitrary<ClientMessage> = fc.oneof(
  ...Object.values<fc.Arbitrary<ClientMessage>>(CLIENT),
)
export const relayMessages: fc.Arbitrary<RelayMessage> = fc.oneof(
  ...Object.values<fc.Arbitrary<RelayMessage>>(RELAY),
)

export function toHex(data: Uint8Array): string {
  return [...data].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
