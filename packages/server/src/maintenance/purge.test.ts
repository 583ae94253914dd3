import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { isPinned, keepPin, STOCK_REPLICA } from '../relay/pins.js'
import {
  closeReader,
  openDatabaseReader,
  openForMaintenance,
  scanDatabase,
} from '../storage/index.js'
import { compactData } from './compact.js'
import { inspect } from './inspect.js'
import { purgeEntity } from './purge-entity.js'
import { purgeUser } from './purge-user.js'
import { filesWith, makeDirectory, openWorld, readSpace } from './world.test-support.js'

const now = (): number => 1_700_000_000_000
const SECRET = 'the eagle flies at midnight'
const ERASE = { now, erase: true }

describe('purging an entity', () => {
  it('leaves no trace of it in the files, and everything else as it was', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    const ada = await world.person('ada', 11)
    for (let index = 0; index < 200; index++)
      await ada.write(`card-${index}`, { title: index === 7 ? SECRET : `title ${index}` })
    await ada.write('card-7', { title: `${SECRET} again` })
    await world.close()
    const before = readSpace(data)
    expect(filesWith(data, SECRET)).not.toEqual([])

    await purgeEntity({ data, space: 'team', entity: 'cards/card-7', erase: true })
    expect(filesWith(data, SECRET)).toEqual([])
    expect(filesWith(data, 'card-7\u0000')).toEqual([])
    const { 'cards/card-7': _gone, ...rest } = before
    expect(readSpace(data)).toEqual(rest)
  })

  it('makes every device that was there before read the space anew [L23]', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    const ada = await world.person('ada', 11)
    await ada.write('one', { title: 'x' })
    await ada.write('two', { title: 'y' })
    await world.close()
    await purgeEntity({ data, space: 'team', entity: 'cards/one', erase: true })
    expect(spaceOf(data)).toEqual({ space: 'team', head: 3, horizon: 3 })
  })

  it('keeps the other tombstones, behind the horizon: devices drop those up to it', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    const ada = await world.person('ada', 11)
    for (const id of ['one', 'two', 'three']) {
      await ada.write(id, { title: id })
      await ada.write(id, { $deleted: 1_600_000_000_000 })
    }
    await world.close()
    await purgeEntity({ data, space: 'team', entity: 'cards/one', erase: true })
    const { head, horizon } = spaceOf(data)
    expect([horizon, head]).toEqual([7, 9])
    const entities = Object.values(readSpace(data))
    expect(entities.map(({ id, version }) => [id, version.confirmedSequence])).toEqual([
      ['three', 9],
      ['two', 8],
    ])
  })

  it('only looks until it is told to erase', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    await (await world.person('ada', 11)).write('one', { title: SECRET })
    await world.close()
    const before = readSpace(data)
    await purgeEntity({ data, space: 'team', entity: 'cards/one', erase: false })
    expect(readSpace(data)).toEqual(before)
  })

  it.each([
    ['elsewhere', 'cards/one', 'space-unknown'],
    ['team', 'cards/two', 'entity-unknown'],
    ['team', 'two', 'name-invalid'],
  ])('says so when there is no %s %s', async (space, entity, code) => {
    const data = makeDirectory()
    const world = openWorld(data)
    await (await world.person('ada', 11)).write('one', { title: 'x' })
    await world.close()
    await expect(purgeEntity({ data, space, entity, erase: true })).rejects.toMatchObject({ code })
  })

  it('says that it is not over while somebody reads the log', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    await (await world.person('ada', 11)).write('one', { title: SECRET })
    await world.close()
    const reader = openDatabaseReader(data)
    reader.exec('BEGIN')
    scanDatabase(reader).count('entities')
    const purge = { data, space: 'team', entity: 'cards/one', erase: true }
    await expect(purgeEntity(purge)).rejects.toMatchObject({ code: 'data-in-use' })
    closeReader(reader)
    await compactData({ data })
    expect(filesWith(data, SECRET)).toEqual([])
  })
})

describe("purging a user's writes", () => {
  it('leaves no trace of the user in the files, and what others wrote as it was', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    const ada = await world.person('ada-lovelace', 11)
    const bob = await world.person('bob', 22)
    await ada.write('hers', { title: SECRET })
    await bob.write('his', { title: 'his title' })
    await bob.write('both', { title: 'his', done: true, 'tags:red': true, 'votes:22': 2 })
    ada.learn('both')
    await ada.write('both', { url: SECRET, 'tags:blue': true, 'votes:11': 3 })
    await ada.write('overwritten', { title: SECRET })
    bob.learn('overwritten')
    await bob.write('overwritten', { title: 'better' })
    await world.close()
    const before = readSpace(data)

    expect(await purgeUser({ data, user: 'ada-lovelace', ...ERASE })).toMatchObject({
      removed: ['team/cards/hers'],
      rewritten: ['team/cards/both', 'team/cards/overwritten'],
      operations: 3,
    })
    expect(filesWith(data, SECRET)).toEqual([])
    expect(filesWith(data, 'ada-lovelace')).toEqual([])
    const after = readSpace(data)
    expect(Object.keys(after)).toEqual(['cards/both', 'cards/his', 'cards/overwritten'])
    expect(after['cards/his']).toEqual(before['cards/his'])
    expect(after['cards/both']?.values).toEqual({
      title: 'his',
      done: true,
      tags: ['red'],
      votes: 2,
    })
    expect(after['cards/overwritten']?.values).toEqual({ title: 'better' })
    expect(await purgeUser({ data, user: 'ada-lovelace', ...ERASE })).toEqual({
      removed: [],
      rewritten: [],
      operations: 0,
    })
  })

  it('gives what is left another document and a later version, so that devices take it [L16] [L6]', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    const ada = await world.person('ada', 11)
    const bob = await world.person('bob', 22)
    await bob.write('one', { title: 'his' })
    ada.learn('one')
    await ada.write('one', { url: 'hers' })
    await world.close()
    const before = readSpace(data)['cards/one']
    await purgeUser({ data, user: 'ada', ...ERASE })
    const after = readSpace(data)['cards/one']
    expect(after?.generation).toMatch(/^0\.[0-9a-f]{16}$/)
    expect(after?.version.sequence).toBe((before?.version.sequence ?? 0) + 1)
    expect(after?.version.lastModified).toBeGreaterThan(before?.version.lastModified ?? 0)
    expect(after?.version.confirmedSequence).toBe(3)
  })

  it('takes what was typed out of texts and lists, and leaves what others typed where it is', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    const ada = await world.person('ada-lovelace', 11)
    const bob = await world.person('bob', 22)
    await bob.write('one', { title: 'his' })
    await bob.edit('one', (doc) => {
      doc.getText('notes').insert(0, 'Hello !')
      doc.getArray('steps').insert(0, ['first', 'last'])
    })
    ada.learn('one')
    await ada.edit('one', (doc) => {
      doc.getText('notes').insert(6, SECRET)
      doc.getText('notes').format(0, 5, { bold: true })
      doc.getArray('steps').insert(1, [SECRET])
    })
    await world.close()
    expect(readSpace(data)['cards/one']?.values).toMatchObject({ notes: `Hello ${SECRET}!` })
    expect(await purgeUser({ data, user: 'ada-lovelace', ...ERASE })).toMatchObject({
      rewritten: ['team/cards/one'],
    })
    expect(readSpace(data)['cards/one']?.values).toEqual({
      title: 'his',
      notes: 'Hello !',
      steps: ['first', 'last'],
    })
    expect(filesWith(data, SECRET)).toEqual([])
    expect(filesWith(data, 'ada-lovelace')).toEqual([])
    const inspector = inspect(data)
    expect(inspector.verify().damage).toEqual([])
    inspector.close()
  })

  it('refuses, and erases nothing, where something of others stands inside of it', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    const ada = await world.person('ada', 11)
    const bob = await world.person('bob', 22)
    await ada.write('hers', { title: SECRET })
    await bob.write('page', { title: 'his' })
    ada.learn('page')
    await ada.edit('page', (doc) => {
      const paragraph = new Y.XmlElement('p')
      paragraph.insert(0, [new Y.XmlText('hers')])
      doc.getXmlFragment('body').insert(0, [paragraph])
    })
    bob.learn('page')
    await bob.edit('page', (doc) => {
      const [paragraph] = doc.getXmlFragment('body').toArray()
      if (!(paragraph instanceof Y.XmlElement)) throw new Error('no paragraph')
      const [text] = paragraph.toArray()
      if (!(text instanceof Y.XmlText)) throw new Error('no text')
      text.insert(4, ' and his')
    })
    await world.close()
    const before = readSpace(data)
    await expect(purgeUser({ data, user: 'ada', ...ERASE })).rejects.toMatchObject({
      code: 'entangled',
      message: expect.stringContaining('team/cards/page (body)'),
    })
    expect(readSpace(data)).toEqual(before)
    // The other way round nothing of hers is inside of his.
    await purgeUser({ data, user: 'bob', ...ERASE })
    expect(readSpace(data)['cards/page']?.values).toEqual({ body: '<p>hers</p>' })
  })

  it('refuses where nobody knows who typed a text', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    const bob = await world.person('bob', 22)
    await bob.write('one', { title: 'his' })
    await bob.edit('one', (doc) => doc.getText('notes').insert(0, 'whose?'))
    await world.close()
    const storage = openForMaintenance(data)
    const ref = { collection: 'cards', id: 'one' }
    await storage.transaction(async () => {
      const { transaction: tx } = storage.statements
      const head = await tx.entityHead('team', ref)
      if (head === undefined) throw new Error('it is gone')
      const clients = new Map(
        [...head.clients].map(([client, binding]) => [
          client,
          { ...binding, user: '', replica: '' },
        ]),
      )
      await tx.putEntityHead('team', ref, { ...head, clients })
    })
    storage.close()
    await expect(purgeUser({ data, user: 'ada', ...ERASE })).rejects.toMatchObject({
      code: 'entangled',
    })
  })

  it('[L24] keeps the items of an entity that a stock client has joined, and the pin', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    const ada = await world.person('ada-lovelace', 11)
    const bob = await world.person('bob', 22)
    await bob.write('one', { title: 'his' })
    ada.learn('one')
    await ada.write('one', { url: SECRET })
    await world.close()
    const ref = { collection: 'cards', id: 'one' }
    const storage = openForMaintenance(data)
    await storage.transaction(async () => {
      const { transaction: tx } = storage.statements
      const head = await tx.entityHead('team', ref)
      if (head === undefined) throw new Error('it is gone')
      const clients = new Map(head.clients)
      keepPin(clients, new Map([[0, { user: '', replica: STOCK_REPLICA, clock: 0, tail: null }]]))
      await tx.putEntityHead('team', ref, { ...head, clients })
    })
    storage.close()
    await purgeUser({ data, user: 'ada-lovelace', ...ERASE })
    const reader = openDatabaseReader(data)
    const entity = scanDatabase(reader).entity('team', ref)
    closeReader(reader)
    if (entity === undefined || entity.problem !== undefined) throw new Error('it is gone')
    expect(isPinned(entity.head.clients)).toBe(true)
    expect([...entity.head.clients.keys()].sort()).toEqual([0, 11, 22])
    expect(readSpace(data)['cards/one']?.values).toEqual({ title: 'his' })
    expect(filesWith(data, SECRET)).toEqual([])
    expect(filesWith(data, 'ada-lovelace')).toEqual([])
  })

  it('keeps an entity deleted that the user has deleted', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    const ada = await world.person('ada-lovelace', 11)
    const bob = await world.person('bob', 22)
    await bob.write('one', { title: 'his' })
    ada.learn('one')
    await ada.write('one', { $deleted: 1_600_000_000_000 })
    await world.close()
    await purgeUser({ data, user: 'ada-lovelace', ...ERASE })
    expect(readSpace(data)['cards/one']).toMatchObject({
      deletedAt: 1_600_000_000_000,
      values: { title: 'his' },
    })
    expect(filesWith(data, 'ada-lovelace')).toEqual([])
  })

  it('only looks until it is told to erase, and refuses what is no user', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    await (await world.person('ada', 11)).write('one', { title: 'x' })
    await world.close()
    expect(await purgeUser({ data, user: 'ada', erase: false, now })).toEqual({
      removed: ['team/cards/one'],
      rewritten: [],
      operations: 1,
    })
    expect(Object.keys(readSpace(data))).toEqual(['cards/one'])
    await expect(purgeUser({ data, user: 'a/b', ...ERASE })).rejects.toMatchObject({
      code: 'name-invalid',
    })
  })
})

function spaceOf(data: string) {
  const database = openDatabaseReader(data)
  const space = scanDatabase(database).space('team')
  database.close()
  if (space === undefined) throw new Error('no space')
  return space
}
