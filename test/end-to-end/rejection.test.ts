import { describe, expect } from 'vitest'
import { type CardsPage, openCards } from '../support/cards-page.js'
import { becomesOnline, becomesSynced, converge } from '../support/settled.js'
import { test } from '../support/stage.js'

const DEADLINE_MS = 20_000

/** More than an operation may have, and less than a frame may have: the relay answers with a rejection. */
const MORE_THAN_AN_OPERATION = 1_000_000
/** More than a frame may have: the relay would cut the connection. */
const MORE_THAN_A_FRAME = 2_000_000

/** Writes a note of that size, and then, before any answer, a title and a tag. */
async function writeAround(cards: CardsPage, id: string, size: number): Promise<string> {
  return cards.evaluate(
    async (store, { card, length }) => {
      const refused = store.cards.update(card, (draft) => {
        draft.note = 'x'.repeat(length)
      })
      refused.when('synced').catch(() => undefined)
      store.cards.update(card, (draft) => {
        draft.title = 'Later title'
      })
      const tagged = store.cards.update(card, (draft) => {
        draft.tags.add('later')
      })
      await tagged.when('saved')
      return refused.id
    },
    { card: id, length: size },
  )
}

describe('a write that the relay refuses', () => {
  for (const [what, size] of [
    ['an operation', MORE_THAN_AN_OPERATION],
    ['a frame', MORE_THAN_A_FRAME],
  ] as const) {
    test(`[RB-1] [L12] larger than ${what} may be: is rolled back alone, kept for a person, and gone when discarded`, async ({
      stage,
    }) => {
      const relay = await stage.relay()
      const ada = await openCards(await stage.profile('ada'), { url: relay.url, user: 'ada' })
      const bob = await openCards(await stage.profile('bob'), { url: relay.url, user: 'bob' })
      const { card } = await ada.insert({
        id: 'card',
        title: 'First title',
        note: 'Short',
        tags: ['early'],
      })
      const neighbour = await ada.insert({ id: 'neighbour', title: 'Neighbour' })
      await bob.card(neighbour.card).waitFor()
      await becomesSynced(ada)

      const refused = await writeAround(ada, card, size)
      await expect
        .poll(() => ada.status(), { timeout: DEADLINE_MS })
        .toMatchObject({ connection: 'online', pending: 0, syncing: 0, failed: 1 })

      const expected = { title: 'Later title', note: 'Short', tags: ['early', 'later'] }
      expect(await ada.snapshot()).toMatchObject([
        { id: card, status: 'error', ...expected },
        { id: neighbour.card, status: 'synced' },
      ])
      expect(await ada.badge(card).getAttribute('data-status')).toBe('error')
      await expect
        .poll(() => bob.snapshot(), { timeout: DEADLINE_MS })
        .toMatchObject([{ id: card, status: 'synced', ...expected }, { status: 'synced' }])

      const [failed, ...others] = await ada.operations()
      expect(others).toEqual([])
      expect(failed).toMatchObject({
        id: refused,
        state: 'failed',
        lastError: { code: 'too-large' },
        entities: [{ collection: 'cards', id: card }],
      })
      expect(String(failed?.values[0]?.['note'])).toHaveLength(size)

      // It is still there, with its values, after a reload; and others can go on with the card.
      await ada.reload()
      await becomesOnline(ada)
      expect((await ada.operations()).map(({ id, state }) => ({ id, state }))).toEqual([
        { id: refused, state: 'failed' },
      ])
      await bob.retitle(card, 'Title by Bob')
      await ada.card(card).getByText('Title by Bob').waitFor()
      expect(await ada.badge(card).getAttribute('data-status')).toBe('error')

      await ada.page.getByTestId('failed-changes').getByRole('button', { name: 'Discard' }).click()
      await ada.badge(card).and(ada.page.locator('[data-status="synced"]')).waitFor()
      await becomesSynced(ada)
      await converge(ada, bob)
      expect(await ada.snapshot()).toMatchObject([
        { ...expected, title: 'Title by Bob' },
        { title: 'Neighbour' },
      ])
    })
  }

  test('[RB-3] refused creation takes what was built on it along, and nothing else', async ({
    stage,
  }) => {
    const relay = await stage.relay()
    const ada = await openCards(await stage.profile('ada'), { url: relay.url, user: 'ada' })
    await becomesOnline(ada)
    const { created, edited } = await ada.evaluate(async (store, size) => {
      const first = store.cards.insert({ title: 'Too large', note: 'x'.repeat(size), addedAt: 1 })
      const second = store.cards.update(first.entity.id, (draft) => {
        draft.title = 'Edited before the answer'
      })
      const other = store.cards.insert({ title: 'Fine', addedAt: 2 })
      for (const handle of [first, second]) handle.when('synced').catch(() => undefined)
      await other.when('synced')
      return { created: first.id, edited: second.id }
    }, MORE_THAN_AN_OPERATION)
    await expect
      .poll(() => ada.status(), { timeout: DEADLINE_MS })
      .toMatchObject({ pending: 0, syncing: 0, failed: 2 })
    expect((await ada.operations()).map(({ id, lastError }) => [id, lastError?.code])).toEqual([
      [created, 'too-large'],
      [edited, 'predecessor-rejected'],
    ])
    expect((await ada.snapshot()).map(({ title }) => title)).toEqual(['Fine'])
  })
})
