import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSqliteStorage } from '../storage/index.js'
import { backUp } from './backup.js'
import { compactData } from './compact.js'
import { inspect } from './inspect.js'
import { restore } from './restore.js'
import { filesWith, makeDirectory, openWorld, readSpace } from './world.test-support.js'

let time = 1_700_000_000_000
const now = (): number => ++time

async function prepared() {
  const directory = makeDirectory()
  const data = join(directory, 'data')
  const world = openWorld(data)
  const ada = await world.person('ada', 11)
  for (let index = 0; index < 20; index++)
    await ada.write(`card-${index}`, { title: `card ${index}` })
  await world.close()
  return { directory, data, backup: backUp({ data, to: join(directory, 'backups'), now }) }
}

function epochOf(data: string): string {
  const inspector = inspect(data)
  const { epoch } = inspector.overview()
  inspector.close()
  return epoch
}

describe('[BAK-2] a restore', () => {
  it('has the same entities, and a new epoch that stays', async () => {
    const { directory, data, backup } = await prepared()
    const other = join(directory, 'other')
    const { epoch, movedTo } = restore({ from: backup.path, data: other, now })
    expect(movedTo).toBeUndefined()
    expect(readSpace(other)).toEqual(readSpace(data))
    expect(epoch).not.toBe(backup.manifest.epoch)
    await openSqliteStorage({ directory: other }).close()
    expect(epochOf(other)).toBe(epoch)
  })

  it('of the same backup twice is two lives', async () => {
    const { directory, backup } = await prepared()
    const epochs = ['one', 'two'].map(
      (name) => restore({ from: backup.path, data: join(directory, name), now }).epoch,
    )
    expect(new Set(epochs).size).toBe(2)
  })

  it('refuses a directory with a database, and puts it aside when it is told to', async () => {
    const { data, backup } = await prepared()
    const world = openWorld(data)
    await (await world.person('bob', 22)).write('later', { title: 'only here' })
    await world.close()
    const [before, epoch] = [readSpace(data), epochOf(data)]
    expect(() => restore({ from: backup.path, data, now })).toThrow(
      expect.objectContaining({ code: 'data-not-empty' }),
    )
    expect(readSpace(data)).toEqual(before)
    const { movedTo } = restore({ from: backup.path, data, force: true, now })
    expect(Object.keys(readSpace(data))).toHaveLength(20)
    expect(readSpace(movedTo ?? '')).toEqual(before)
    expect(epochOf(movedTo ?? '')).toBe(epoch)
  })

  it('needs the data for itself', async () => {
    const { data, backup } = await prepared()
    const storage = openSqliteStorage({ directory: data })
    expect(() => restore({ from: backup.path, data, force: true, now })).toThrow(
      expect.objectContaining({ code: 'data-locked' }),
    )
    await storage.close()
  })

  it.each([
    ['whose database was changed', (path: string) => spoil(join(path, 'tidemark.db'))],
    ['without a database', (path: string) => rmSync(join(path, 'tidemark.db'))],
    ['without a manifest', (path: string) => rmSync(join(path, 'manifest.json'))],
    ['whose manifest is cut', (path: string) => writeFileSync(join(path, 'manifest.json'), '{')],
    [
      'of a format to come',
      (path: string) =>
        writeFileSync(
          join(path, 'manifest.json'),
          readFileSync(join(path, 'manifest.json'), 'utf8').replace('"format": 1', '"format": 2'),
        ),
    ],
  ])('refuses a backup %s, and leaves everything as it was', async (_what, change) => {
    const { data, backup } = await prepared()
    change(backup.path)
    const [before, files] = [readSpace(data), readdirSync(data)]
    expect(() => restore({ from: backup.path, data, force: true, now })).toThrow(
      expect.objectContaining({ code: 'backup-invalid' }),
    )
    expect([readSpace(data), readdirSync(data)]).toEqual([before, files])
  })

  it('that was interrupted serves nothing until it is run again, whatever it had moved', async () => {
    for (const moved of [[], ['tidemark.db']]) {
      const { data, backup } = await prepared()
      const before = readSpace(data)
      const aside = join(data, 'replaced-2026')
      mkdirSync(aside)
      cpSync(join(backup.path, 'tidemark.db'), join(data, 'tidemark.restored.db'))
      for (const name of moved) renameSync(join(data, name), join(aside, name))
      const unfinished = expect.objectContaining({ code: 'restore-unfinished' })
      expect(() => openSqliteStorage({ directory: data })).toThrow(unfinished)
      restore({ from: backup.path, data, force: true, now })
      await openSqliteStorage({ directory: data }).close()
      expect(readSpace(data)).toEqual(before)
      expect(readSpace(aside)).toEqual(before)
    }
  })
})

describe('a backup', () => {
  it('is not begun where another one is being written, and clears up what a killed one left', async () => {
    const { directory, data } = await prepared()
    const to = join(directory, 'backups')
    const partial = join(to, '.tidemark-2026-01-01T00-00-00-000Z.partial')
    mkdirSync(partial)
    writeFileSync(join(partial, 'tidemark.db'), 'half')
    backUp({
      data,
      to,
      now,
      onCopy: () => {
        expect(existsSync(partial)).toBe(false)
        expect(() => backUp({ data, to, now })).toThrow(
          expect.objectContaining({ code: 'backup-running' }),
        )
        return () => {}
      },
    })
    expect(readdirSync(to).filter((name) => name.startsWith('tidemark-'))).toHaveLength(2)
  })
})

describe('compacting', () => {
  it('changes nothing that can be seen, and makes the file smaller', async () => {
    const data = makeDirectory()
    const world = openWorld(data)
    const ada = await world.person('ada', 11)
    for (let index = 0; index < 300; index++)
      await ada.write(`card-${index % 10}`, { title: `version ${index} ${'x'.repeat(100)}` })
    await world.close()
    const [before, epoch] = [readSpace(data), epochOf(data)]
    const result = await compactData({ data })
    expect(result).toMatchObject({ entities: 10, compacted: 10, damaged: [] })
    expect(result.bytesAfter).toBeLessThan(result.bytesBefore)
    expect([readSpace(data), epochOf(data)]).toEqual([before, epoch])
    expect(filesWith(data, 'version 0 ')).toEqual([])
    expect(await compactData({ data })).toMatchObject({ compacted: 0 })
  })
})

function spoil(path: string): void {
  const bytes = readFileSync(path)
  bytes[5_000] = (bytes[5_000] ?? 0) ^ 1
  writeFileSync(path, bytes)
}
