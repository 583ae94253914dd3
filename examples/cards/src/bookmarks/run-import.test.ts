import { describe, expect, it } from 'vitest'
import { generateBookmarks } from '../../scripts/generate-bookmarks.js'
import type { Bookmark } from './bookmark.js'
import { type ImportProgress, runImport } from './run-import.js'

const HTML = generateBookmarks({ count: 1200 })

function setUp({
  html = HTML,
  present = [] as Bookmark[],
  refuse = (_index: number): boolean => false,
} = {}) {
  const added: Bookmark[] = []
  const history: ImportProgress[] = []
  const control = new AbortController()
  let time = 0
  let pauses = 0
  let longest = 0
  let sliceStart = 0
  let index = 0
  const run = (afterPause = () => {}, when = async (_stage: string) => {}) =>
    runImport({
      file: new File([html], 'bookmarks.html'),
      target: {
        present: () => present,
        insert(bookmark) {
          if (refuse(index++)) throw new Error('No.')
          added.push(bookmark)
          time += 0.5
          longest = Math.max(longest, time - sliceStart)
          return { when }
        },
      },
      signal: control.signal,
      now: () => time,
      pause: async () => {
        pauses++
        sliceStart = time
        afterPause()
        await Promise.resolve()
      },
      onProgress: (progress) => history.push(progress),
    })
  return {
    added,
    history,
    control,
    run,
    get last() {
      return history.at(-1)
    },
    get pauses() {
      return pauses
    },
    get longest() {
      return longest
    },
  }
}

describe('runImport', () => {
  it('[B14] reads, adds, saves and syncs each bookmark, and counts them', async () => {
    const world = setUp()
    await world.run()
    expect(world.last).toMatchObject({
      phase: 'done',
      read: 1,
      found: 1200,
      total: world.added.length,
      added: world.added.length,
      saved: world.added.length,
      synced: world.added.length,
      repeated: 1200 - world.added.length,
      failed: 0,
    })
    expect([...(world.last?.skipped ?? [])]).toEqual([['javascript', 1]])
    expect(world.history.map(({ phase }) => phase).filter((p, i, all) => p !== all[i - 1])).toEqual(
      ['reading', 'adding', 'saving', 'done'],
    )
  })

  it('lets the page draw after each slice of 8 ms', async () => {
    const world = setUp()
    await world.run()
    expect(world.pauses).toBeGreaterThan(50)
    expect(world.longest).toBeLessThanOrEqual(8.5)
  })

  it('adds nothing the second time, and says what was here', async () => {
    const first = setUp()
    await first.run()
    const second = setUp({ present: first.added })
    await second.run()
    expect(second.added).toEqual([])
    expect(second.last).toMatchObject({ phase: 'done', existing: 1200, total: 0 })
  })

  it('stops adding when it is cancelled, and keeps what was added', async () => {
    const world = setUp()
    await world.run(() => {
      if (world.added.length > 300) world.control.abort()
    })
    expect(world.added.length).toBeLessThan(400)
    expect(world.last).toMatchObject({ phase: 'cancelled', saved: world.added.length })
  })

  it('adds nothing when it is cancelled while it reads', async () => {
    const world = setUp()
    world.control.abort()
    await world.run()
    expect(world.last).toMatchObject({ phase: 'cancelled', added: 0 })
  })

  it('explains a file that is no bookmark file', async () => {
    const world = setUp({ html: '{}' })
    await world.run()
    expect(world.last).toMatchObject({
      phase: 'failed',
      problem: expect.stringContaining('JSON backup'),
    })
  })

  it('says so when nothing could be saved', async () => {
    const world = setUp()
    await world.run(undefined, async () => {
      throw new Error('The disk is full.')
    })
    expect(world.last).toMatchObject({
      phase: 'failed',
      saved: 0,
      failed: world.added.length,
      problem: 'The disk is full.',
    })
  })

  it('goes on after a bookmark that the store refuses', async () => {
    const world = setUp({ refuse: (index) => index === 3 })
    await world.run()
    expect(world.last).toMatchObject({
      phase: 'done',
      failed: 1,
      saved: (world.last?.total ?? 0) - 1,
      problem: 'No.',
    })
  })

  it('is done when all is saved, whether the relay can be reached or not', async () => {
    const world = setUp()
    await world.run(undefined, (stage) =>
      stage === 'saved' ? Promise.resolve() : new Promise(() => {}),
    )
    expect(world.last).toMatchObject({ phase: 'done', saved: world.added.length, synced: 0 })
  })

  it('reads text whose characters are cut by the pieces of the file', async () => {
    const title = '漢字かな交じり文🌊'.repeat(3000)
    const world = setUp({ html: `<DL><DT><A HREF="https://example.com">${title}</A></DL>` })
    await world.run()
    expect(world.added[0]?.title).toBe(title)
  })
})
