import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createDiskModel } from './disk-model.js'
import { inScratchFolder } from './scratch.js'
import { type DiskEvent, eventsIn } from './trace.js'

const create: DiskEvent = { kind: 'create', name: 'a' }
const write = (offset: number, text: string): DiskEvent => {
  return { kind: 'write', name: 'a', offset, bytes: Buffer.from(text) }
}
const sync = (works = true): DiskEvent => ({ kind: 'sync', name: 'a', works })
const syncDirectory: DiskEvent = { kind: 'syncDirectory', works: true }

/** What is in the file after a power cut that leaves nothing unsynced, or all of it; undefined without the file. */
function left(events: readonly DiskEvent[], all = false): Promise<string | undefined> {
  return inScratchFolder(async (folder) => {
    const disk = createDiskModel()
    for (const event of events) disk.apply(event)
    const data = join(folder, 'data')
    disk.cutPower(all ? { kind: 'some', random: () => 0 } : { kind: 'nothing' }, data)
    const path = join(data, 'a')
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined
  })
}

test('a power cut leaves what a sync has covered, of files whose names were synced', async () => {
  const made = [create, syncDirectory]
  expect(await left([create, write(0, 'ab'), sync()])).toBe(undefined)
  expect(await left([...made, write(0, 'ab')])).toBe('')
  expect(await left([...made, write(0, 'ab'), sync(), write(1, 'x')])).toBe('ab')
  expect(await left([...made, write(0, 'ab'), sync(), write(1, 'x')], true)).toBe('ax')
  expect(
    await left([...made, write(0, 'ab'), { kind: 'truncate', name: 'a', size: 1 }, sync()]),
  ).toBe('a')
  expect(await left([...made, { kind: 'unlink', name: 'a' }])).toBe('')
  expect(await left([...made, { kind: 'unlink', name: 'a' }, syncDirectory])).toBe(undefined)
})

test('a sync that failed makes nothing durable, nor does any later one, until it is written again', async () => {
  const failed = [create, syncDirectory, write(0, 'ab'), sync(false)]
  expect(await left([...failed, sync()])).toBe('')
  expect(await left([...failed, sync()], true)).toBe('')
  expect(await left([...failed, write(0, 'ab'), sync()])).toBe('ab')
})

test('sectors survive one by one', async () => {
  const random = [0, 1, 0]
  await inScratchFolder(async (folder) => {
    const disk = createDiskModel()
    for (const event of [create, syncDirectory, write(0, 'x'.repeat(1025))]) disk.apply(event)
    disk.cutPower({ kind: 'some', random: () => random.shift() ?? 1 }, join(folder, 'data'))
    const content = readFileSync(join(folder, 'data', 'a'), 'latin1')
    expect(content).toBe(`${'x'.repeat(512)}${'\0'.repeat(512)}x`)
  })
})

test('the log of a tracer is read call by call', () => {
  const hex = (text: string): string =>
    [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  const trace = [
    `7 openat(AT_FDCWD<${hex('/')}>, "${hex('/data/a')}", O_RDWR|O_CREAT, 0644) = 3<${hex('/data/a')}>`,
    `7 pwrite64(3<${hex('/data/a')}>, "${hex('hi')}", 2, 40 <unfinished ...>`,
    `8 write(9<${hex('/elsewhere')}>, "${hex('x')}", 1) = 1`,
    '7 <... pwrite64 resumed>) = 2',
    `7 fsync(3<${hex('/data/a')}>) = -1 EIO (Input/output error) (INJECTED)`,
    `7 fsync(4<${hex('/data')}>) = 0 (DELAYED)`,
    `7 pwrite64(3<${hex('/data/a')}>, "${hex('hi')}", 2, 0) = -1 ENOSPC (No space left on device)`,
    `7 writev(5<${hex('socket:[1]')}>, [{iov_base="${hex('o')}", iov_len=1}, {iov_base="${hex('k')}", iov_len=1}], 2) = 2`,
    `7 unlink("${hex('/data/a')}") = 0`,
    '7 +++ exited with 0 +++',
  ].join('\n')
  expect(eventsIn(trace, '/data')).toEqual([
    create,
    write(40, 'hi'),
    sync(false),
    syncDirectory,
    { kind: 'sent', stream: 'socket:[1]', bytes: Buffer.from('ok') },
    { kind: 'unlink', name: 'a' },
  ])
})
