import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesWith, openWorld, readSpace } from '../maintenance/world.test-support.js'
import { makeDirectory, run, runJson, serve } from './process.test-support.js'

const SECRET = 'the eagle flies at midnight'

async function makeData(): Promise<{ directory: string; data: string }> {
  const directory = makeDirectory()
  const data = join(directory, 'data')
  const world = openWorld(data)
  const ada = await world.person('ada', 11)
  const bob = await world.person('bob', 22)
  await ada.write('one', { title: SECRET })
  await bob.write('two', { title: 'his' })
  await world.close()
  return { directory, data }
}

describe('the commands', () => {
  it('that change data are refused while its relay runs; those that read are not', async () => {
    const { directory, data } = await makeData()
    const relay = await serve(data)
    const backup = await runJson<{ path: string }>('backup', '--data', data, '--to', directory)
    expect(await run('inspect', '--data', data)).toMatchObject({ code: 0 })
    expect(await run('export', '--space', 'team', '--data', data)).toMatchObject({ code: 0 })
    const file = join(directory, 'export')
    await run('export', '--space', 'team', '--format', 'update', '--out', file, '--data', data)
    for (const parameters of [
      ['restore', '--from', backup.path, '--force'],
      ['import', file],
      ['compact'],
      ['new-epoch'],
      ['purge', '--user', 'ada', '--yes'],
      ['purge', '--space', 'team', '--entity', 'cards/one', '--yes'],
    ]) {
      expect(await run(...parameters, '--data', data), parameters[0]).toMatchObject({
        code: 1,
        output: '',
        errors: expect.stringMatching(/^[^\n]+ \[data-locked\]\n$/),
      })
    }
    await relay.stop()
    expect(Object.keys(readSpace(data))).toEqual(['cards/one', 'cards/two'])
  }, 60_000)

  it('that find something to look at end with 2', async () => {
    const { directory, data } = await makeData()
    const file = join(directory, 'export')
    await run('export', '--space', 'team', '--format', 'update', '--out', file, '--data', data)
    const world = openWorld(data)
    const bob = await world.person('bob', 22)
    bob.learn('two')
    await (await world.person('eve', 33)).write('two', { title: 'another' })
    await world.close()
    expect(await run('import', file, '--data', data)).toMatchObject({
      code: 2,
      output: expect.stringContaining('team/cards/two'),
    })
  })

  it('that fail to export leave no half file', async () => {
    const { directory, data } = await makeData()
    const out = join(directory, 'out')
    expect(await run('export', '--space', 'nowhere', '--out', out, '--data', data)).toMatchObject({
      code: 1,
    })
    expect([existsSync(out), readdirSync(directory)]).toEqual([false, ['data']])
  })

  it('purge leaves no trace in the files, and does nothing unless it is told to', async () => {
    const { data } = await makeData()
    expect(await run('purge', '--user', 'ada', '--data', data)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^would erase team\/cards\/one\n.*Nothing was erased/s),
    })
    expect(filesWith(data, SECRET)).not.toEqual([])
    expect(await runJson('purge', '--user', 'ada', '--yes', '--data', data)).toMatchObject({
      erased: true,
      removed: ['team/cards/one'],
      operations: 1,
    })
    expect(filesWith(data, SECRET)).toEqual([])
  })

  it.each([
    [['purge', '--yes']],
    [['purge', '--user', 'ada', '--space', 'team']],
    [['export']],
    [['export', '--space', 'team', '--format', 'csv']],
    [['backup', '--to', 'x', '--keep', '0']],
  ])('refuse %j and say what is wrong', async (parameters) => {
    expect(await run(...parameters)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^error: /),
    })
  })

  it('say what the system says about a path', async () => {
    const { directory, data } = await makeData()
    const file = join(directory, 'file')
    writeFileSync(file, '')
    expect(await run('backup', '--data', data, '--to', join(file, 'backups'))).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/\[ENOTDIR\]\n$/),
    })
    expect(await run('import', join(directory, 'missing'), '--data', data)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/no such file.*\[export-invalid\]\n$/s),
    })
  })

  it('explain themselves, with examples and exit codes', async () => {
    for (const name of [
      'serve',
      'backup',
      'restore',
      'new-epoch',
      'export',
      'import',
      'inspect',
      'compact',
      'purge',
    ]) {
      const { code, output } = await run(name, '--help')
      expect([code, output]).toEqual([
        0,
        expect.stringMatching(new RegExp(`Examples:\\n  \\$ tidemark ${name}.*Exit codes`, 's')),
      ])
    }
  }, 60_000)
})
