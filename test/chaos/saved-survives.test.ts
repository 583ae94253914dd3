import { describe, expect } from 'vitest'
import { seededRandom } from '../simulation/random.js'
import { openCards } from '../support/cards-page.js'
import { test } from '../support/stage.js'

const SEED = 1
const KILLS = 5
/** Written at once, and so large together that saving them takes longer than it takes to kill a browser. */
const BURST = 40
const NOTE_LENGTH = 20_000

interface ReportingWindow {
  reportSaved(operation: string): Promise<void>
}

describe('a browser that is killed while it saves', () => {
  test(`[DUR-2] [L8] [B1] has everything that it called saved when it is started again: seed ${SEED}`, async ({
    stage,
  }) => {
    const random = seededRandom(SEED)
    const relay = await stage.relay()
    const profile = await stage.profile('ada')
    const address = { url: relay.url, user: 'ada' }
    let cards = await openCards(profile, address)
    await cards.becomesInstalled()
    // Without a relay the outbox only grows.
    await relay.kill()

    const saved = new Set<string>()
    let unsaved = 0
    for (let round = 0; round < KILLS; round++) {
      const kill = await profile.armKill()
      const enough = saved.size + 1 + random.below(2 * BURST)
      let killed: Promise<void> | undefined
      await cards.page.exposeFunction('reportSaved', (operation: string) => {
        if (killed !== undefined) return
        saved.add(operation)
        if (saved.size === enough) killed = kill()
      })
      const writing = cards.evaluate(
        async (store, { burst, length }) => {
          const { reportSaved } = window as unknown as ReportingWindow
          for (;;) {
            const handles = Array.from({ length: burst }, () =>
              store.cards.insert({ title: 'Written', note: 'x'.repeat(length), addedAt: 0 }),
            )
            await Promise.all(
              handles.map(async (handle) => {
                await handle.when('saved')
                await reportSaved(handle.id)
              }),
            )
          }
        },
        { burst: BURST, length: NOTE_LENGTH },
      )
      // The browser goes while it is at it.
      await expect(writing).rejects.toThrow()
      await killed

      await profile.open()
      cards = await openCards(profile, address)
      const found = new Set((await cards.operations()).map(({ id }) => id))
      expect([...saved].filter((id) => !found.has(id))).toEqual([])
      unsaved += found.size - saved.size
    }
    console.log(`${saved.size} operations were called saved; ${unsaved} more were on the disk`)
  })
})
