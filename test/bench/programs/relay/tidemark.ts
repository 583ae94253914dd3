import { randomBytes } from 'node:crypto'
import {
  compareStamps,
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  formatActor,
  viewOf,
  writeRegisters,
} from '@tidemark/core/entity'
import {
  decodeRelayMessage,
  encodeClientMessage,
  type OperationPart,
  PROTOCOL_VERSION,
  SUBPROTOCOL,
} from '@tidemark/core/protocol'
import { idOf, valuesOf } from '../items.js'
import type { Dialect, Writer } from './dialect.js'
import { titleWith } from './marks.js'

/** The number of the one space that a connection opens. */
const CHANNEL = 1
/** What one operation may hold. */
const PARTS = 64
const CAUGHT_UP = 68
const ACK = 70

/** Operations as the store makes them: registers with valid stamps, under client ids of a replica's own. */
export const tidemark: Dialect = {
  subprotocol: SUBPROTOCOL,
  path: () => '/',
  join: (room, user) => [
    encodeClientMessage({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      user,
      token: '',
      replica: replicaOf(user),
    }),
    encodeClientMessage({ type: 'open', channel: CHANNEL, space: room }),
    encodeClientMessage({ type: 'subscribe', channel: CHANNEL, since: 0, fresh: true }),
  ],
  isJoined: (bytes, start) => bytes[start] === CAUGHT_UP,
  isAnswer: (bytes, start) => bytes[start] === ACK,
  writer,
  marksIn(messages) {
    const titles = new Map<string, string>()
    const note = (id: string, update: Uint8Array): void => {
      const { title } = viewOf(decodeContent(update)).values
      if (title !== undefined) titles.set(id, String(title))
    }
    for (const message of messages.map(decodeRelayMessage)) {
      if (message.type === 'page') for (const { id, bytes } of message.entities) note(id, bytes)
    }
    return titles
  },
}

function writer(_room: string, user: string, entities: number): Writer {
  const client = randomBytes(4).readUInt32BE()
  const actor = formatActor({ user, replica: replicaOf(user), writer: client })
  const contents = Array.from({ length: entities }, () => EMPTY_CONTENT)
  let lastModified = Date.now() * 1_000
  let writes = 0

  function part(index: number, values: Readonly<Record<string, string | number | boolean>>) {
    const content: EntityContent = contents[index] ?? EMPTY_CONTENT
    lastModified += 1
    const sequence = viewOf(content).sequence + 1
    const written = writeRegisters(
      content,
      client,
      Object.entries(values).map(([field, value]) => ({
        kind: 'set',
        field,
        value,
        lastModified,
        sequence,
        actor,
        supersedes: content.live.filter((element) => element.field === field).sort(compareStamps),
      })),
    )
    contents[index] = written.content
    return {
      collection: 'items',
      id: `${user}-${idOf(index)}`,
      kind: content === EMPTY_CONTENT ? 'create' : 'update',
      generation: '0',
      sequence,
      lastModified,
      update: written.update,
    } satisfies OperationPart
  }

  const base: Uint8Array[] = []
  for (let from = 0; from < entities; from += PARTS) {
    const count = Math.min(PARTS, entities - from)
    base.push(push(Array.from({ length: count }, (_, at) => part(from + at, valuesOf(from + at)))))
  }
  return {
    base,
    next(mark) {
      const index = writes % entities
      writes += 1
      return push([part(index, { title: titleWith(mark) })])
    },
  }
}

function push(parts: readonly OperationPart[]): Uint8Array {
  return encodeClientMessage({
    type: 'push',
    channel: CHANNEL,
    operation: { id: operationId(), parts },
  })
}

/** A device's, as the store draws them. */
function replicaOf(user: string): string {
  return `0b9a7c6e-5d4f-4e3a-8b2c-${Buffer.from(user).toString('hex').padStart(12, '0').slice(-12)}`
}

/** As RFC 9562, 5.7 lays them out: the time, then chance. */
function operationId(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  const chance = randomBytes(9).toString('hex')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${chance.slice(0, 3)}-8${chance.slice(3, 6)}-${chance.slice(6)}`
}
