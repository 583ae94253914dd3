import { act, render, screen } from '@testing-library/react'
import type { EntityStatus } from '@tidemark/core'
import * as fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { SyncBadge, type SyncBadgeProps } from '../index.js'
import { watchReact } from '../render.test-support.js'

watchReact()

function show(props: SyncBadgeProps) {
  const { rerender, unmount, container } = render(<SyncBadge {...props} />)
  return {
    unmount,
    get badge() {
      return screen.getByRole('status')
    },
    get icon() {
      return container.querySelector('svg')?.dataset['icon']
    },
    become: (next: SyncBadgeProps) => rerender(<SyncBadge {...next} />),
  }
}

const pass = (milliseconds: number) => act(async () => vi.advanceTimersByTimeAsync(milliseconds))

it.each([
  ['synced', 'done', 'Synced'],
  ['stale', 'outdated', 'Out of date'],
  ['error', 'failed', 'Not synced'],
] as const)('shows %s at once, with an icon, a tooltip and a text', (status, icon, label) => {
  const shown = show({ status })
  expect(shown.icon).toBe(icon)
  expect(shown.badge.title).toBe(label)
  expect(shown.badge.textContent).toBe(label)
  expect(shown.badge.dataset).toMatchObject({ status, shown: status })
})

it.each([
  ['pending', 'waiting', 'Waiting to sync'],
  ['syncing', 'busy', 'Syncing'],
] as const)(
  'shows %s only when it lasts, and says it at once to who asks',
  async (status, icon, label) => {
    vi.useFakeTimers()
    const shown = show({ status })
    expect(shown.icon).toBe('none')
    expect(shown.badge.textContent).toBe(label)
    expect(shown.badge.dataset).toMatchObject({ status, shown: 'settling' })
    await pass(300)
    expect(shown.icon).toBe(icon)
    expect(shown.badge.dataset).toMatchObject({ status, shown: status })
  },
)

it('takes the check mark away in the render in which the status changes', () => {
  vi.useFakeTimers()
  const shown = show({ status: 'synced' })
  shown.become({ status: 'pending' })
  expect(shown.icon).toBe('none')
  expect(screen.queryByText('Synced')).toBe(null)
})

it('names the error', () => {
  const error = { code: 'forbidden', message: 'You may only read this board.' }
  expect(show({ status: 'error', error }).badge.title).toBe(
    'Not synced: You may only read this board.',
  )
})

it('takes labels of its own, some or all', () => {
  const labels = { synced: 'Gesichert', error: () => 'Nicht gesichert' }
  const shown = show({ status: 'synced', labels })
  expect(shown.badge.title).toBe('Gesichert')
  shown.become({ status: 'error', labels })
  expect(shown.badge.title).toBe('Nicht gesichert')
  shown.become({ status: 'stale', labels })
  expect(shown.badge.title).toBe('Out of date')
})

it('shows its label when asked to, and not while it settles', async () => {
  vi.useFakeTimers()
  const shown = show({ status: 'pending', showLabel: true })
  const visible = () => document.querySelector('.tidemark-badge-label')?.textContent
  expect(visible()).toBe(undefined)
  await pass(300)
  expect(visible()).toBe('Waiting to sync')
  shown.become({ status: 'synced', showLabel: true })
  expect(visible()).toBe('Synced')
})

it('has the role of a status, and leaves announcing to the indicator of the page', () => {
  const { badge } = show({ status: 'synced' })
  expect(badge.getAttribute('aria-live')).toBe('off')
  expect(badge.querySelector('svg')?.getAttribute('aria-hidden')).toBe('true')
})

it('adds a class to its own', () => {
  expect(show({ status: 'synced', className: 'mine' }).badge.className).toBe('tidemark-badge mine')
})

it('shows nothing where there is no status', () => {
  const { container } = render(<SyncBadge status={undefined} />)
  expect(container.innerHTML).toBe('')
})

it('never looks synced while the status is another, whatever happens', async () => {
  vi.useFakeTimers()
  const status = fc.constantFrom<EntityStatus[]>('pending', 'syncing', 'synced', 'stale', 'error')
  const step = fc.record({ status, after: fc.nat({ max: 700 }) })
  let checkMarks = 0
  let spinners = 0
  await fc.assert(
    fc.asyncProperty(status, fc.array(step, { maxLength: 15 }), async (first, steps) => {
      const shown = show({ status: first })
      const check = (truth: EntityStatus) => {
        expect(shown.badge.dataset['status']).toBe(truth)
        expect(shown.icon === 'done').toBe(truth === 'synced')
        expect(shown.badge.textContent === 'Synced').toBe(truth === 'synced')
        if (shown.icon === 'done') checkMarks += 1
        if (shown.icon === 'busy') spinners += 1
      }
      let current = first
      check(current)
      for (const { status: next, after } of steps) {
        await pass(after)
        check(current)
        current = next
        shown.become({ status: next })
        check(current)
      }
      shown.unmount()
    }),
    { numRuns: 60 },
  )
  expect(checkMarks).toBeGreaterThan(0)
  expect(spinners).toBeGreaterThan(0)
})
