import { compactUpdate, mergeUpdates } from '@tidemark/core/entity'
import {
  operationDigest,
  type RelayMessage,
  sameBytes,
  type WireOperation,
} from '@tidemark/core/protocol'
import { hello, type TestConnection, type TestRelay } from './test-relay.test-support.js'
import { createWriter, type Writer } from './writer.test-support.js'

/** A replica as the protocol asks for one, with nothing but what the relay must keep its word to. */
export interface ModelReplica {
  write(id: string, otherId: string | undefined, value: number): void
  /** Sends an operation again that was acknowledged long ago. */
  repeat(): void
  reconnect(): void
  /** Sends again, in order, what the relay could not take. */
  retry(): void
  stall(buffered: number): void
  /** Where the relay broke its word. */
  readonly violations: readonly unknown[]
  readonly pending: number
  readonly checkpoint: number
  readonly isLive: boolean
  /** How many operations of others it was told live, to see that a test isn't vacuous. */
  readonly changesSeen: number
  /** By entity, its document in canonical bytes. */
  entities(): ReadonlyMap<string, Uint8Array>
}

interface Sent {
  readonly operation: WireOperation
  /** Sent before on another connection or after a refusal: its acknowledgement may be an old one. */
  again: boolean
  needsRetry: boolean
}

const IDENTITY = { user: 'ada' }

export function createModelReplica(relay: TestRelay, index: number): ModelReplica {
  const replica = `replica-${index}`
  const writer: Writer = createWriter({ ...IDENTITY, replica, client: index + 1 })
  const updates = new Map<string, Uint8Array[]>()
  const pending = new Map<string, Sent>()
  const done: { readonly operation: WireOperation; readonly sequence: number }[] = []
  const violations: unknown[] = []
  let checkpoint = 0
  let isLive = false
  let changesSeen = 0
  let connection: TestConnection | undefined

  function learn(id: string, bytes: Uint8Array): void {
    updates.set(id, [...(updates.get(id) ?? []), bytes])
  }

  function learnOperation(operation: WireOperation): void {
    for (const part of operation.parts) learn(part.id, part.update)
  }

  function confirm(id: string, sequence: number, digest: Uint8Array): void {
    const sent = pending.get(id)
    const known = done.find(({ operation }) => operation.id === id)
    if (known !== undefined) {
      if (known.sequence !== sequence)
        throw new Error(`${id} was ${known.sequence}, now ${sequence}`)
      return
    }
    if (sent === undefined) throw new Error(`an answer for ${id}, which was never sent`)
    if (!sameBytes(digest, operationDigest(sent.operation.parts))) throw new Error('another digest')
    pending.delete(id)
    learnOperation(sent.operation)
    done.push({ operation: sent.operation, sequence })
  }

  function advance(sequence: number): void {
    if (sequence !== checkpoint + 1) throw new Error(`${sequence} came after ${checkpoint}`)
    checkpoint = sequence
  }

  function onMessage(message: RelayMessage): void {
    switch (message.type) {
      case 'fates':
        for (const { id, sequence, digest } of message.fates) confirm(id, sequence, digest)
        retry()
        return
      case 'page':
        if (isLive) throw new Error('a page after caughtUp')
        for (const { id, bytes } of message.entities) {
          learn(id, bytes)
          writer.learn(id, bytes)
        }
        return
      case 'caughtUp':
        if (isLive || message.sequence < checkpoint) throw new Error('caughtUp again, or backwards')
        checkpoint = message.sequence
        isLive = true
        return
      case 'changes':
        if (!isLive) throw new Error('changes before caughtUp')
        advance(message.sequence)
        changesSeen += 1
        learnOperation(message.operation)
        for (const part of message.operation.parts) writer.learn(part.id, part.update)
        return
      case 'ack': {
        const again = pending.get(message.id)?.again ?? true
        confirm(message.id, message.sequence, message.digest)
        if (isLive && !(again && message.sequence <= checkpoint)) advance(message.sequence)
        return
      }
      case 'reject': {
        if (!message.retryable) throw new Error(`refused: ${message.code} ${message.message}`)
        const sent = pending.get(message.id)
        if (sent !== undefined) Object.assign(sent, { again: true, needsRetry: true })
        return
      }
      default:
    }
  }

  function retry(): void {
    if (connection?.closed !== undefined) {
      reconnect()
      return
    }
    const sends = [...pending.values()]
    if (!sends.some(({ needsRetry }) => needsRetry)) return
    for (const sent of sends) {
      Object.assign(sent, { again: true, needsRetry: false })
      connection?.push(sent.operation)
    }
  }

  function reconnect(): void {
    connection?.disconnect()
    isLive = false
    for (const sent of pending.values()) Object.assign(sent, { again: true, needsRetry: true })
    const mine = relay.connect((message) => {
      try {
        if (connection === mine) onMessage(message)
      } catch (error) {
        violations.push(error)
      }
    })
    connection = mine
    mine.send(hello({ ...IDENTITY, replica }))
    mine.send({ type: 'open', channel: 1, space: 'team' })
    mine.send({ type: 'fates', channel: 1, ids: [...pending.keys()] })
    mine.send({ type: 'subscribe', channel: 1, since: checkpoint, fresh: false })
  }

  return {
    write(id, otherId, value) {
      const parts = [writer.part(id, { value })]
      if (otherId !== undefined && otherId !== id) parts.push(writer.part(otherId, { value }))
      const operation = writer.operation(...parts)
      // Nothing overtakes what has to be sent again: it may build on it [L9].
      const waits = [...pending.values()].some(({ needsRetry }) => needsRetry)
      pending.set(operation.id, {
        operation,
        again: false,
        needsRetry: waits || connection === undefined,
      })
      if (!waits) connection?.push(operation)
    },
    repeat() {
      const first = done[0]
      if (first !== undefined) connection?.push(first.operation)
    },
    reconnect,
    retry,
    stall(buffered) {
      if (connection !== undefined) connection.bufferedBytes = buffered
    },
    violations,
    get pending() {
      return pending.size
    },
    get checkpoint() {
      return checkpoint
    },
    get isLive() {
      return isLive && connection?.closed === undefined
    },
    get changesSeen() {
      return changesSeen
    },
    entities: () => canonical(updates),
  }
}

export function canonical(
  updates: ReadonlyMap<string, readonly Uint8Array[]>,
): ReadonlyMap<string, Uint8Array> {
  return new Map(
    [...updates]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, all]) => [id, compactUpdate(mergeUpdates(all))]),
  )
}
