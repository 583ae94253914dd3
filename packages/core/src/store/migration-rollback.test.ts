import { expect, test } from 'vitest'
import type { Clock } from '../platform/index.js'
import { rebaseParts, restampOperations } from '../replica/index.js'
import { createMemoryStorage } from '../storage/index.js'
import { createPersistence } from '../sync/index.js'
import { planRebase, rebaseReadSet, rebaseWithout } from '../sync/rebasing.js'
import {
  CARD,
  createClient,
  type Log,
  schemaAt,
  syncAll,
} from './migration-clients.test-support.js'

const STEPS = [['copy', 'change a set']]

const clock: Clock = { now: () => 0, schedule: () => () => undefined }

/** A tab of the second version on top of a card of the first one. */
async function openTab() {
  const log: Log = []
  const first = createClient(1, schemaAt(1, STEPS), log)
  first.insert({ name: 'Hello', tags: ['a'] })
  syncAll([first])
  const tab = createClient(2, schemaAt(2, STEPS), log)
  const storage = createMemoryStorage()
  const rows = await storage.open('default', () => 'device')
  const persistence = createPersistence('default', storage, tab.replica, clock, rows, {
    settled: () => undefined,
    committed: () => undefined,
    troubled: () => undefined,
    rebasing: () => undefined,
    displaced: () => undefined,
    writer: {
      client: () => 300,
      actor: () => 'user2/r/8c',
      hybridClock: { tick: () => 1, isBelievable: () => true },
    },
  })
  const confirmed = first.replica.entity(CARD)?.confirmed
  if (confirmed === undefined) throw new Error('the card was not confirmed')
  await persistence.write({}, () => ({ putEntities: [confirmed] }))
  return { tab, persistence }
}

test('[L7] a change that migrated says the same once it is stamped anew', () => {
  const log: Log = []
  const first = createClient(1, schemaAt(1, STEPS), log)
  first.insert({ name: 'Hello', tags: ['a', 'b'] })
  syncAll([first])
  const client = createClient(2, schemaAt(2, STEPS), log)
  client.receive()
  client.update((card: { title: string; tags: Set<string> }) => {
    card.title = 'Written'
    card.tags.delete('#a')
  })
  const before = client.fields()
  expect(before).toMatchObject({ title: 'Written', tags: ['#b'] })
  const confirmed = client.replica.entity(CARD)?.confirmed
  const { operations } = restampOperations(client.pending(), {
    actor: 'user2/r/9z',
    timeOf: () => 1,
    latest: 5000,
  })
  const restamped = operations.map((operation) => ({
    ...operation,
    parts: rebaseParts(confirmed, operation.parts, 999),
  }))
  client.replica.absorb({ entities: [], operations: restamped, gone: [] })
  expect(client.fields()).toEqual(before)
  expect(client.row()?.$conflicts).toEqual({})
  expect(client.replica.content(CARD).live.filter(({ field }) => field === 'title')).toHaveLength(1)
})

test.for([0, 1])(
  '[SCH-2] [L11] a rollback of the change that migrated leaves it to the next one, with %i saved in between',
  async (saved) => {
    const { tab, persistence } = await openTab()
    const change = (values: Record<string, unknown>) =>
      tab.stage((draft) => draft.update(CARD, (card) => void Object.assign(card, values)))
    const operations = [change({ name: 'Gone' })]
    if (saved === 1) operations.push(change({ size: 1 }))
    for (const operation of operations) {
      if (operation === undefined) throw new Error('nothing was changed')
      await persistence.write({}, () => ({ addOperations: [operation] }))
    }
    change({ title: 'Written' })
    expect(tab.fields()).toMatchObject({ name: 'Gone', title: 'Written', tags: ['#a'] })

    const [rejected] = tab.pending()
    if (rejected === undefined) throw new Error('nothing is saved')
    const rebase = rebaseWithout(tab.replica, rejected, { code: 'forbidden', message: 'No.' })
    const read = rebaseReadSet(tab.replica, rebase)
    await persistence.write(read, (current) =>
      planRebase(rebase, read, current, { client: 400, clients: [] }),
    )

    expect(tab.fields()).toMatchObject({ name: 'Hello', title: 'Written', tags: ['#a'] })
    expect(tab.version()).toBe(2)
    expect(tab.row()?.$conflicts).toEqual({})
    await persistence.close()
  },
)
