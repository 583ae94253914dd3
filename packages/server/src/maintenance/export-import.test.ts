import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openForMaintenance } from '../storage/index.js'
import { type ExportFormat, exportSpace } from './export.js'
import { importSpace } from './import.js'
import { makeDirectory, openWorld, readSpace } from './world.test-support.js'

const now = (): number => 1_700_000_000_000

async function makeData(): Promise<string> {
  const data = makeDirectory()
  const world = openWorld(data)
  const ada = await world.person('ada', 11)
  const bob = await world.person('bob', 22)
  await ada.write('one', { title: 'hers', 'tags:b': true, 'tags:a': true, 'votes:b': 2 })
  await bob.write('one', { title: 'his', 'votes:m': 3 })
  await ada.edit('one', (doc) => doc.getText('notes').insert(0, 'a text'))
  await ada.write('two', { title: 'gone' })
  await ada.write('two', { $deleted: 1_600_000_000_000 })
  await world.close()
  return data
}

async function exported(data: string, format: ExportFormat): Promise<string> {
  let text = ''
  const write = async (part: string): Promise<void> => {
    text += part
  }
  await exportSpace({ data, space: 'team', format, now, write })
  return text
}

describe('an export', () => {
  it('as lines shows plain values, versions and conflicts', async () => {
    const lines = (await exported(await makeData(), 'jsonl')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      {
        collection: 'cards',
        id: 'one',
        generation: '0',
        deletedAt: null,
        schema: 1,
        version: { sequence: 2, confirmedSequence: 3 },
        values: { title: 'his', tags: ['a', 'b'], votes: 5, notes: 'a text' },
        conflicts: { title: [{ value: 'his' }, { value: 'hers' }] },
      },
      { id: 'two', deletedAt: 1_600_000_000_000, values: { title: 'gone' }, conflicts: {} },
    ])
  })

  it('as one document says what it is of', async () => {
    const data = await makeData()
    const whole = JSON.parse(await exported(data, 'json')) as { entities: unknown[] }
    expect(whole).toMatchObject({ space: 'team', head: 5, takenAt: '2023-11-14T22:13:20.000Z' })
    expect(whole.entities.map((entity) => (entity as { id: string }).id)).toEqual(['one', 'two'])
  })

  it('leaves out what is damaged and says so', async () => {
    const data = await makeData()
    const storage = openForMaintenance(data)
    storage.database.exec("UPDATE updates SET bytes = x'00' WHERE id = 'one'")
    storage.close()
    const result = await exportSpace({
      data,
      space: 'team',
      format: 'jsonl',
      now,
      write: async () => {},
    })
    expect(result).toMatchObject({ entities: 1, damaged: [{ what: 'team/cards/one' }] })
  })

  it('of a space that is not there is refused', async () => {
    const data = await makeData()
    const options = { data, format: 'json' as const, now, write: async () => {} }
    await expect(exportSpace({ ...options, space: 'nowhere' })).rejects.toMatchObject({
      code: 'space-unknown',
    })
    await expect(exportSpace({ ...options, space: '../x' })).rejects.toMatchObject({
      code: 'name-invalid',
    })
  })
})

describe('an import', () => {
  async function prepared() {
    const directory = makeDirectory()
    const file = join(directory, 'export')
    writeFileSync(file, await exported(await makeData(), 'update'))
    const data = join(directory, 'data')
    await openWorld(data).close()
    return { file, data }
  }

  it('leaves what is there and differs, and says so', async () => {
    const { file, data } = await prepared()
    const world = openWorld(data)
    await (await world.person('eve', 33)).write('one', { title: 'another' })
    await world.close()
    expect(await importSpace({ data, file, now })).toEqual({
      space: 'team',
      imported: 1,
      unchanged: 0,
      kept: ['team/cards/one'],
      keptCount: 1,
    })
    expect(readSpace(data)['cards/one']?.values).toEqual({ title: 'another' })
  })

  it.each([
    ['is cut after a line', (text: string) => `${text.split('\n').slice(0, -2).join('\n')}\n`],
    ['is cut within a line', (text: string) => text.slice(0, -100)],
    [
      'lacks an entity',
      (text: string) => [...text.split('\n').slice(0, 1), ...text.split('\n').slice(2)].join('\n'),
    ],
    ['has an entity that was changed', (text: string) => text.replace('"id":"one"', '"id":"uno"')],
    ['goes on after its end', (text: string) => `${text}{}\n`],
    ['has no header', (text: string) => text.split('\n').slice(1).join('\n')],
    ['has another format', (text: string) => text.replace('"format":1', '"format":2')],
    ['is something else', () => 'title,url\nhello,world\n'],
    ['is empty', () => ''],
  ])('of a file that %s changes nothing', async (_what, spoil) => {
    const { file, data } = await prepared()
    writeFileSync(file, spoil(readFileSync(file, 'utf8')))
    await expect(importSpace({ data, file, now })).rejects.toMatchObject({ code: 'export-invalid' })
    expect(readSpace(data)).toEqual({})
  })

  it.each([
    ['in a collection without a valid name', { collection: '../cards' }],
    ['of no generation', { generation: 'x' }],
    ['from the future', { lastModified: 4_000_000_000_000_000 }],
    ['with client ids of nobody', { clients: 'AAA=' }],
    ['that is no document', { update: 'AAEC' }],
    // One item of client 5 at clock 7, and nothing before it.
    ['of which a part is missing', { update: 'AQEFB4QFBgF4AA==' }],
  ])('refuses an entity %s, and changes nothing', async (_what, change) => {
    const { file, data } = await prepared()
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    lines[1] = JSON.stringify({ ...(JSON.parse(lines[1] ?? '') as object), ...change })
    writeFileSync(file, `${lines.join('\n')}\n`)
    await expect(importSpace({ data, file, now })).rejects.toMatchObject({
      code: 'export-invalid',
      message: expect.stringContaining('(line 2)'),
    })
    expect(readSpace(data)).toEqual({})
  })

  it('needs the data for itself', async () => {
    const { file, data } = await prepared()
    const world = openWorld(data)
    await expect(importSpace({ data, file, now })).rejects.toMatchObject({ code: 'data-locked' })
    await world.close()
  })
})
