import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { captureUpdate, openDocument, type StorableValue } from '@tidemark/core/entity'
import { type OperationPart, PROTOCOL_VERSION, type RelayMessage } from '@tidemark/core/protocol'
import { onTestFinished } from 'vitest'
import type * as Y from 'yjs'
import { createTestRelay, type TestConnection } from '../relay/test-relay.test-support.js'
import { createWriter } from '../relay/writer.test-support.js'
import { openDatabaseReader, openSqliteStorage, scanDatabase } from '../storage/index.js'
import { type PlainEntity, plainEntity } from './plain-entity.js'

export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-maintenance-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Somebody with a device. */
export interface Person {
  write(id: string, values: Readonly<Record<string, StorableValue>>): Promise<void>
  /** Changes the document of an entity that exists as an editor does. */
  edit(id: string, change: (doc: Y.Doc) => void): Promise<void>
  /** Takes in what others have written to an entity. */
  learn(id: string): void
}

export interface World {
  person(user: string, client: number, space?: string): Promise<Person>
  close(): Promise<void>
}

/** A relay on real data that people write to; what is refused fails the test. */
export function openWorld(data: string): World {
  const storage = openSqliteStorage({ directory: data })
  const answers = new Map<string, (message: RelayMessage) => void>()
  const { relay, connect } = createTestRelay({ storage })
  /** By space and entity, everything that was accepted. */
  const accepted = new Map<string, Uint8Array[]>()

  async function send(
    connection: TestConnection,
    space: string,
    part: OperationPart,
    id: string,
  ): Promise<void> {
    const answer = new Promise<RelayMessage>((resolve) => answers.set(id, resolve))
    connection.push({ id, parts: [part] })
    const message = await answer
    if (message.type !== 'ack') throw new Error(JSON.stringify(message))
    const key = `${space}/${part.id}`
    accepted.set(key, [...(accepted.get(key) ?? []), part.update])
  }

  return {
    async person(user, client, space = 'team') {
      const replica = `replica-${user}`
      const writer = createWriter({ user, replica, client })
      const known = new Map<string, Uint8Array[]>()
      const connection = connect((message) => {
        if (message.type === 'ack' || message.type === 'reject') answers.get(message.id)?.(message)
      })
      connection.send({ type: 'hello', protocol: PROTOCOL_VERSION, user, token: '', replica })
      connection.send({ type: 'open', channel: 1, space })
      const remember = (id: string, update: Uint8Array): void =>
        void known.set(id, [...(known.get(id) ?? []), update])
      return {
        async write(id, values) {
          const part = writer.part(id, values)
          remember(id, part.update)
          await send(connection, space, part, writer.operation(part).id)
        },
        async edit(id, change) {
          const doc = openDocument(known.get(id) ?? [], client)
          const update = captureUpdate(doc, () => change(doc))
          if (update === undefined) throw new Error('the edit changed nothing')
          const part = writer.part(id, {}, { update, kind: 'update' })
          remember(id, update)
          writer.learn(id, update)
          await send(connection, space, part, writer.operation(part).id)
        },
        learn(id) {
          for (const update of accepted.get(`${space}/${id}`) ?? []) {
            writer.learn(id, update)
            remember(id, update)
          }
        },
      }
    },
    async close() {
      await relay.stop()
      await storage.close()
    },
  }
}

/** What the data holds of a space now, by name of its entities. */
export function readSpace(data: string, space = 'team'): Record<string, PlainEntity> {
  const database = openDatabaseReader(data)
  const entities: Record<string, PlainEntity> = {}
  for (const entity of scanDatabase(database).entities(space)) {
    if (entity.problem !== undefined) throw new Error(entity.problem)
    const { ref, head, log } = entity
    entities[`${ref.collection}/${ref.id}`] = plainEntity(ref, head, log)
  }
  database.close()
  return entities
}

/** Names of the files of a directory, at any depth, in which a text stands. */
export function filesWith(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text))
}
