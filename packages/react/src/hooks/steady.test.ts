import type { EntityStatus } from '@tidemark/core'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { observe, type Steady, startSteady, waited } from './steady.js'

const isSaving = (status: EntityStatus) => status === 'pending' || status === 'syncing'

const start = (status: EntityStatus) => startSteady<EntityStatus>(status, isSaving)
const see = (steady: Steady<EntityStatus>, status: EntityStatus) =>
  observe(steady, status, isSaving)
const wait = (steady: Steady<EntityStatus>) =>
  steady.wait === undefined ? steady : waited(steady, steady.wait)

it('shows a settled status at once', () => {
  expect(start('synced').shown).toBe('synced')
  expect(see(start('synced'), 'error').shown).toBe('error')
  expect(see(wait(start('syncing')), 'synced').shown).toBe('synced')
})

it('takes the check mark away at once and shows the spinner late', () => {
  const saving = see(start('synced'), 'pending')
  expect(saving.shown).toBe('settling')
  expect(wait(saving).shown).toBe('pending')
})

it('counts passing statuses that take turns as one wait', () => {
  const pending = see(start('synced'), 'pending')
  const syncing = see(pending, 'syncing')
  expect(syncing.wait).toBe(pending.wait)
  expect(wait(syncing).shown).toBe('syncing')
})

it('lets another passing status wait before it replaces a visible one', () => {
  const pending = wait(start('pending'))
  const blip = see(pending, 'syncing')
  expect(blip.shown).toBe('pending')
  expect(see(blip, 'pending')).toMatchObject({ shown: 'pending', wait: undefined })
  expect(wait(blip).shown).toBe('syncing')
})

it('ignores the end of a wait that is over', () => {
  const first = start('pending')
  const again = see(see(first, 'synced'), 'pending')
  expect(waited(again, first.wait as object)).toBe(again)
})

it('gives the same state when nothing is new', () => {
  const steady = start('pending')
  expect(see(steady, 'pending')).toBe(steady)
})

const status = fc.constantFrom<EntityStatus[]>('pending', 'syncing', 'synced', 'stale', 'error')

it('shows a settled status exactly while it is the status, whatever happens', async () => {
  let settledSeen = 0
  await fc.assert(
    fc.property(status, fc.array(fc.option(status, { nil: 'wait' as const })), (first, events) => {
      let steady = start(first)
      for (const event of [undefined, ...events]) {
        if (event !== undefined) steady = event === 'wait' ? wait(steady) : see(steady, event)
        const { value, shown } = steady
        if (isSaving(value)) expect(['settling', 'pending', 'syncing']).toContain(shown)
        else expect(shown).toBe(value)
        // Whatever is not shown yet has a wait that will show it.
        expect(steady.wait === undefined).toBe(shown === value)
        if (!isSaving(value)) settledSeen += 1
      }
    }),
  )
  expect(settledSeen).toBeGreaterThan(0)
})
