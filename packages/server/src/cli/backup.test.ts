import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { decodeContent, mergeUpdates, viewOf } from '@tidemark/core/entity'
import { describe, expect, it, vi } from 'vitest'
import { connectWebSocket, joinOver } from '../http/websocket-client.test-support.js'
import { openForChange } from '../maintenance/open-for-change.js'
import { createWriter } from '../relay/writer.test-support.js'
import { openReadOnly, scanDatabase } from '../storage/index.js'
import {
  makeDirectory,
  type RelayUnderTest,
  run,
  runJson,
  serve,
  start,
} from './process.test-support.js'

interface BackupReport {
  readonly path: string
  readonly epoch: string
  readonly heads: Readonly<Record<string, number>>
  readonly removed: readonly string[]
}

/** Writes one card after the other, a number of them on their way at any time. */
async function writeOn(relay: RelayUnderTest, size = 16) {
  const writer = createWriter()
  const client = await connectWebSocket(relay.url)
  await joinOver(client)
  const sent = new Map<string, { readonly card: string; readonly value: number }>()
  const acknowledged = new Map<string, number>()
  const waiting: (() => void)[] = []
  let value = 0
  let stopped = false
  const push = (): void => {
    value += 1
    const card = `card-${value % 500}`
    const operation = writer.write(card, { value, text: 'x'.repeat(size) })
    sent.set(operation.id, { card, value })
    client.send({ type: 'push', channel: 1, operation })
  }
  for (let index = 0; index < 64; index++) push()
  const reading = (async () => {
    while (acknowledged.size < sent.size) {
      const ack = await client.next('ack')
      acknowledged.set(ack.id, ack.sequence)
      for (const wake of waiting.splice(0)) wake()
      if (!stopped) push()
    }
  })()
  // A relay that is killed answers nothing more.
  const ended = reading.catch(() => {})
  return {
    sent,
    acknowledged,
    async until(count: number): Promise<void> {
      while (acknowledged.size < count) await new Promise<void>((wake) => waiting.push(wake))
    },
    async stop(): Promise<void> {
      stopped = true
      await ended
      client.socket.close()
    },
  }
}

/** The operations of a backup by their sequence, and its cards' values. */
function readBackup(path: string) {
  const database = openReadOnly(join(path, 'tidemark.db'))
  const rows = database
    .prepare("SELECT id, sequence FROM operations WHERE space = 'team' ORDER BY sequence")
    .raw()
    .all() as [string, number][]
  const values = new Map<string, unknown>()
  for (const entity of scanDatabase(database).entities('team')) {
    if (entity.problem !== undefined) throw new Error(entity.problem)
    values.set(entity.ref.id, viewOf(decodeContent(mergeUpdates(entity.log))).values['value'])
  }
  database.close()
  return { operations: new Map(rows), sequences: rows.map(([, sequence]) => sequence), values }
}

function names(directory: string): string[] {
  return existsSync(directory)
    ? readdirSync(directory).filter((name) => !name.endsWith('.lock'))
    : []
}

// Each starts several processes.
vi.setConfig({ testTimeout: 60_000 })

describe('tidemark backup', () => {
  it('[BAK-1] under load holds everything that was acknowledged before it began, and one state of it', async () => {
    const directory = makeDirectory()
    const data = join(directory, 'data')
    const relay = await serve(data)
    const writing = await writeOn(relay)
    for (const target of [300, 1_000, 2_000]) {
      await writing.until(target)
      const before = new Map(writing.acknowledged)
      const report = await runJson<BackupReport>(
        'backup',
        '--data',
        data,
        '--to',
        join(directory, 'backups'),
      )
      const { operations, sequences, values } = readBackup(report.path)
      for (const [id, sequence] of before) expect([id, operations.get(id)]).toEqual([id, sequence])
      expect(sequences).toEqual(sequences.map((_, index) => index + 1))
      expect(report.heads).toEqual({ team: sequences.length })
      const expected = new Map<string, number>()
      for (const id of operations.keys()) {
        const { card, value } = writing.sent.get(id) ?? { card: '', value: 0 }
        expected.set(card, value)
      }
      expect(values).toEqual(expected)
    }
    await writing.stop()
    await relay.stop()
    expect(await run('inspect', '--verify', '--data', data)).toMatchObject({ code: 0 })
  })

  it('[BAK-1] [BAK-2] is served after a restore, with all of it and a new epoch', async () => {
    const directory = makeDirectory()
    const [data, other] = [join(directory, 'data'), join(directory, 'other')]
    const relay = await serve(data)
    const writing = await writeOn(relay)
    await writing.until(300)
    const before = new Map(writing.acknowledged)
    const { path, epoch } = await runJson<BackupReport>('backup', '--data', data, '--to', directory)
    await writing.stop()
    await relay.stop()
    expect(await run('restore', '--from', path, '--data', other)).toMatchObject({ code: 0 })
    const restored = await serve(other)
    const client = await connectWebSocket(restored.url)
    await joinOver(client)
    const welcome = client.received.find((message) => message.type === 'welcome')
    expect(welcome).not.toMatchObject({ epoch })
    client.send({ type: 'fates', channel: 1, ids: [...before.keys()] })
    const { fates } = await client.next('fates')
    expect(new Map(fates.map(({ id, sequence }) => [id, sequence]))).toEqual(before)
  })

  it.each([
    ['when it has just begun', (partial: string) => existsSync(partial)],
    ['in the middle of the copy', (partial: string) => sizeIn(partial, 'tidemark.db') > 1_000_000],
    [
      'before its manifest is written',
      (partial: string) => sizeIn(partial, 'tidemark.db') > 4_000_000,
    ],
    ['when its manifest is written', (partial: string) => sizeIn(partial, 'manifest.json') >= 0],
  ])(
    '[BAK-1] that is killed %s leaves no half backup, and the next one clears up',
    async (_when, isThen) => {
      const directory = makeDirectory()
      const [data, to] = [join(directory, 'data'), join(directory, 'backups')]
      const relay = await serve(data)
      const writing = await writeOn(relay, 16_000)
      await writing.until(1_000)
      const { child, ended } = start('backup', '--data', data, '--to', to)
      const writtenTo = (): string => join(to, names(to)[0] ?? 'nothing')
      for (let isOver = false; !isOver && !isThen(writtenTo()); ) {
        isOver = await Promise.race([
          ended.then(() => true),
          new Promise<false>((turn) => setImmediate(turn, false)),
        ])
      }
      child.kill('SIGKILL')
      await ended
      const finished = names(to).filter((name) => !name.startsWith('.'))
      // What has its name is whole: the kill may have come too late.
      for (const name of finished) {
        expect(existsSync(join(to, name, 'manifest.json'))).toBe(true)
        readBackup(join(to, name))
      }
      const { path } = await runJson<BackupReport>('backup', '--data', data, '--to', to)
      expect(names(to).sort()).toEqual([...finished, path.slice(to.length + 1)].sort())
      await writing.stop()
    },
  )

  it('[BAK-1] keeps no relay from stopping or starting, and is whole', async () => {
    const directory = makeDirectory()
    const data = join(directory, 'data')
    const first = await serve(data)
    const writing = await writeOn(first, 16_000)
    await writing.until(500)
    const { child, ended } = start(
      'backup',
      '--data',
      data,
      '--to',
      join(directory, 'backups'),
      '--json',
    )
    await new Promise<void>((resolve) => {
      const look = (): void => {
        const partial = names(join(directory, 'backups')).find((name) => name.endsWith('.partial'))
        if (partial !== undefined || child.exitCode !== null) resolve()
        else setImmediate(look)
      }
      look()
    })
    first.child.kill('SIGKILL')
    await first.ended
    const second = await serve(data)
    await second.stop()
    const { code, output } = await ended
    expect(code).toBe(0)
    readBackup((JSON.parse(output) as BackupReport).path)
  })

  it('keeps as many as it should, and never fewer for one that failed', async () => {
    const directory = makeDirectory()
    const [data, to] = [join(directory, 'data'), join(directory, 'backups')]
    await (await serve(data)).stop()
    for (let round = 0; round < 3; round++) await runJson('backup', '--data', data, '--to', to)
    mkdirSync(join(to, 'somebody-elses'))
    const before = names(to).filter((name) => name.startsWith('tidemark-'))
    const kept = await runJson<BackupReport>('backup', '--data', data, '--to', to, '--keep', '2')
    expect(kept.removed).toEqual(before.slice(0, 2).map((name) => join(to, name)))
    expect(names(to)).toHaveLength(3)
  })

  it('writes no backup of damaged data, and says what is damaged', async () => {
    const directory = makeDirectory()
    const [data, to] = [join(directory, 'data'), join(directory, 'backups')]
    const relay = await serve(data)
    const writing = await writeOn(relay)
    await writing.until(10)
    await writing.stop()
    await relay.stop()
    damage(join(data, 'tidemark.db'))
    expect(await run('backup', '--data', data, '--to', to)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/team\/cards\/card-\d+.*\[data-damaged\]\n$/s),
    })
    expect(names(to).filter((name) => !name.startsWith('.'))).toEqual([])
    expect(await run('inspect', '--verify', '--data', data)).toMatchObject({
      code: 2,
      output: expect.stringMatching(/DAMAGED team\/cards\/card-\d+/),
    })
  })

  it('says where there is nothing to back up', async () => {
    const directory = makeDirectory()
    expect(await run('backup', '--data', directory, '--to', directory)).toMatchObject({
      code: 1,
      errors: expect.stringContaining('[data-missing]'),
    })
  })
})

describe('[BAK-4] a data directory that was copied', () => {
  it('is another life of the database from its first start on, and the original is not', async () => {
    const directory = makeDirectory()
    const [data, copy] = [join(directory, 'data'), join(directory, 'copy')]
    await (await serve(data)).stop()
    const { epoch } = await runJson<{ epoch: string }>('inspect', '--data', data)
    cpSync(data, copy, { recursive: true })
    const second = await serve(copy)
    await second.stop()
    await (await serve(data)).stop()
    const [original, cloned] = [
      await runJson<{ epoch: string }>('inspect', '--data', data),
      await runJson<{ epoch: string }>('inspect', '--data', copy),
    ]
    expect(original.epoch).toBe(epoch)
    expect(cloned.epoch).not.toBe(epoch)
    expect((await second.ended).errors).toContain('it has a new epoch')
    await (await serve(copy)).stop()
    expect(await runJson('inspect', '--data', copy)).toMatchObject({ epoch: cloned.epoch })
  })

  it('is one also when a backup was put there by hand', async () => {
    const directory = makeDirectory()
    const [data, copy] = [join(directory, 'data'), join(directory, 'copy')]
    await (await serve(data)).stop()
    const { path, epoch } = await runJson<BackupReport>('backup', '--data', data, '--to', directory)
    mkdirSync(copy)
    writeFileSync(join(copy, 'tidemark.db'), readFileSync(join(path, 'tidemark.db')))
    await (await serve(copy)).stop()
    expect(await runJson('inspect', '--data', copy)).not.toMatchObject({ epoch })
  })

  it('can be made one where nobody can tell', async () => {
    const data = makeDirectory()
    await (await serve(data)).stop()
    const before = await runJson<{ epoch: string }>('inspect', '--data', data)
    const { epoch } = await runJson<{ epoch: string }>('new-epoch', '--data', data)
    expect(epoch).not.toBe(before.epoch)
    await (await serve(data)).stop()
    expect(await runJson('inspect', '--data', data)).toMatchObject({ epoch })
  })
})

function sizeIn(directory: string, name: string): number {
  return statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? -1
}

function damage(path: string): void {
  const database = openForChange(path)
  database.exec("UPDATE updates SET bytes = zeroblob(length(bytes)) WHERE id = 'card-1'")
  database.close()
}
