import { compactUpdate, decodeContent, mergeUpdates, viewOf } from '@tidemark/core/entity'
import { describe, expect, it } from 'vitest'
import { createTestRelay, settled, type TestConnection } from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

/** More than the relay keeps in a log: the entity is compacted then, and looked at. */
const ENOUGH = 70

/** Two devices that write the same card until it is renewed. */
async function renewed() {
  const relay = createTestRelay({ limits: { renewAboveClients: 1 } })
  const [ada, bo] = [createWriter(), createWriter({ user: 'bo', replica: 'replica-b', client: 2 })]
  const adas = await relay.join({ since: 0 })
  const bos = await relay.join({ user: 'bo', replica: 'replica-b', since: 0 })
  const write = async (
    own: typeof ada,
    other: typeof ada,
    connection: TestConnection,
    values: Record<string, string>,
  ): Promise<void> => {
    const operation = own.write('one', values)
    for (const { update } of operation.parts) other.learn('one', update)
    connection.push(operation)
    await settled()
  }
  for (let index = 0; index < ENOUGH; index++) {
    if (index % 2 === 0) await write(ada, bo, adas, { title: `t${index}` })
    else await write(bo, ada, bos, { note: `n${index}` })
    if (entity()?.head?.generation !== '0') break
  }
  function entity() {
    return relay.disk.spaces.get('team')?.entities.get('cards/one')
  }
  return { ...relay, ada, adas, bos, entity }
}

const messagesOf = (connection: TestConnection, type: string) =>
  connection.received.filter((message) => message.type === type)

describe('an entity with more client ids than it is worth', () => {
  it('[L16] gets a new document with the same values, one client id and a sequence of its own', async () => {
    const { adas, bos, entity, disk } = await renewed()
    const head = entity()?.head
    expect(head?.generation).toMatch(/^0\.[0-9a-z]{1,16}$/)
    expect([...(head?.clients.values() ?? [])]).toEqual([
      expect.objectContaining({ user: '', replica: '' }),
    ])
    expect(head?.sequence).toBe(disk.spaces.get('team')?.sequence)
    for (const connection of [adas, bos]) {
      const [message] = messagesOf(connection, 'renewed')
      if (message?.type !== 'renewed') throw new Error('nobody was told')
      expect(message.sequence).toBe(head?.sequence)
      expect(message.entity.generation).toBe(head?.generation)
      const { values, conflicts } = viewOf(decodeContent(message.entity.bytes))
      expect(Object.keys(values).sort()).toEqual(['note', 'title'])
      expect(conflicts).toBeUndefined()
      expect(compactUpdate(message.entity.bytes).length).toBe(message.entity.bytes.length)
    }
  })

  it('[L16] refuses what was written on the old document for now, and takes what is written on the new one', async () => {
    const { ada, adas, entity } = await renewed()
    adas.take()
    adas.push(ada.write('one', { title: 'late' }))
    await settled()
    expect(adas.take()).toMatchObject([
      { type: 'reject', code: 'generation', retryable: true, retryAfter: 0 },
    ])
    const generation = entity()?.head?.generation ?? ''
    const fresh = createWriter({ client: 9 })
    fresh.learn('one', entity()?.snapshot?.bytes ?? new Uint8Array())
    const part = fresh.part('one', { title: 'again' })
    adas.push(fresh.operation({ ...part, kind: 'update', generation }))
    await settled()
    expect(adas.take()).toMatchObject([{ type: 'ack' }])
    const log = [entity()?.snapshot, ...(entity()?.updates ?? [])].flatMap(
      (row) => row?.bytes ?? [],
    )
    expect(viewOf(decodeContent(mergeUpdates(log))).values['title']).toBe('again')
  })

  it('[L21] is caught up with as the new document', async () => {
    const { join, entity } = await renewed()
    const reader = await join({ replica: 'replica-c', since: 0 })
    const [page] = messagesOf(reader, 'page')
    if (page?.type !== 'page') throw new Error('no page')
    expect(page.entities.map(({ generation }) => generation)).toEqual([entity()?.head?.generation])
  })
})
