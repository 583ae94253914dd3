import { describe, expect } from 'vitest'
import { seededRandom } from '../simulation/random.js'
import { openCards } from '../support/cards-page.js'
import { test } from '../support/stage.js'

const SEED = 1
const KILLS = 6
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
    await (await openCards(profile, address)).becomesInstalled()
    // Without a relay the outbox only grows.
    await relay.kill()

    const saved = new Set<string>()
    let unsaved = 0
    for (let round = 0; round < KILLS; round++) {
      const cards = await openCards(profile, address)
      const kill = await profile.armKill()
      const enough = saved.size + 1 + random.below(2 * BURST)
      const killed = new Promise<void>((resolve) => {
        cards.page.exposeFunction('reportSaved', (operation: string) => {
          if (saved.size >= enough) return
          saved.add(operation)
          if (saved.size === enough) kill().then(resolve)
        })
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
      const found = new Set(
        (await (await openCards(profile, address)).operations()).map(({ id }) => id),
      )
      expect([...saved].filter((id) => !found.has(id))).toEqual([])
      unsaved += found.size - saved.size
      await profile.close()
      await profile.open()
    }
    console.log(`${saved.size} operations were called saved; ${unsaved} more were on the disk`)
  })
})
