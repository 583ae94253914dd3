import { expect, onTestFinished, test } from 'vitest'
import {
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  FIRST_GENERATION,
  mergeUpdates,
  type RegisterWrite,
  type Stamp,
  viewOf,
  writeRegisters,
} from '../entity/index.js'
import {
  type ConfirmedEntity,
  createReplica,
  keyOf,
  type PendingOperation,
} from '../replica/index.js'
import { createMemoryDisk, createMemoryStorage } from '../storage/index.js'
import { createPersistence } from './persistence.js'

const SPACE = 'team'
const CLIENT = 9
const ref = { collection: 'cards', id: 'one' }
const row = { ...ref, generation: FIRST_GENERATION, sequence: 1, lastModified: 1 }

function titled(
  value: string,
  lastModified: number,
  supersedes: readonly Stamp[] = [],
): Extract<RegisterWrite, { kind: 'set' }> {
  return {
    kind: 'set',
    field: 'title',
    value,
    lastModified,
    sequence: 1,
    actor: 'ada/r/1',
    supersedes,
  }
}

function operationOf(content: EntityContent, client: number, write: RegisterWrite) {
  const written = writeRegisters(content, client, [write])
  const part = {
    ...row,
    kind: 'update' as const,
    writes: [write],
    edit: null,
    client,
    update: written.update,
  }
  const operation: PendingOperation = {
    id: `by-${client}`,
    createdAt: 0,
    parts: [part],
    failure: null,
  }
  return { operation, content: written.content }
}

test('[L2] what an unsaved write has replaced stays replaced when the write of another tab that replaced it too is rejected', async () => {
  const disk = createMemoryDisk()
  const storage = createMemoryStorage({ disk })
  const opened = await storage.open(SPACE, () => 'replica')
  const replica = createReplica()
  const persistence = createPersistence(
    SPACE,
    storage,
    replica,
    { now: () => 0, schedule: () => () => undefined },
    opened,
    {
      settled: () => undefined,
      committed: () => undefined,
      troubled: () => undefined,
      rebasing: () => undefined,
      displaced: () => undefined,
      writer: {
        client: () => CLIENT,
        actor: () => 'ada/replica/7',
        hybridClock: { tick: () => 1, isBelievable: () => true },
      },
    },
  )
  onTestFinished(() => persistence.close())
  const old = titled('old', 1)
  const { update: bytes, content } = writeRegisters(EMPTY_CONTENT, 1, [old])
  const confirmed: ConfirmedEntity = {
    ...row,
    bytes,
    compactedSize: bytes.length,
    confirmedSequence: 1,
    view: viewOf(content),
  }
  await persistence.write({}, () => ({ putEntities: [confirmed] }))

  // Another tab replaces the value, and a rejection of something else has the tabs say again what isn't saved.
  const theirs = operationOf(content, 2, titled('theirs', 2, [old]))
  await storage.write(SPACE, {}, ({ meta }) => ({
    meta: { rebases: meta.rebases + 1 },
    addOperations: [theirs.operation],
  }))
  const ours = operationOf(content, CLIENT, titled('ours', 3, [old]))
  replica.stage(ours.operation, new Map([[keyOf(ref), ours.content]]))
  persistence.save()
  await persistence.idle()

  const [saved] = [...replica.saved()].filter(({ id }) => id === ours.operation.id)
  const updates = saved?.parts.map(({ update }) => update) ?? []
  // `theirs` never reaches the relay.
  const { live } = decodeContent(mergeUpdates([bytes, ...updates]))
  expect(live.map(({ value }) => value)).toEqual(['ours'])
})
