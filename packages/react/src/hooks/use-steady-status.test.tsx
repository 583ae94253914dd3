import { act, renderHook } from '@testing-library/react'
import type { EntityStatus } from '@tidemark/core'
import { StrictMode } from 'react'
import { beforeEach, expect, it, vi } from 'vitest'
import { useSteadyStatus } from '../index.js'
import { watchReact } from '../render.test-support.js'

watchReact()

beforeEach(() => {
  vi.useFakeTimers()
})

function follow(status: EntityStatus | undefined, delay?: number) {
  const seen: { readonly status: unknown; readonly shown: unknown }[] = []
  const { result, rerender } = renderHook(
    (props: { readonly status: EntityStatus | undefined }) => {
      const shown = useSteadyStatus(props.status, { delay })
      seen.push({ status: props.status, shown })
      return shown
    },
    { initialProps: { status }, wrapper: StrictMode },
  )
  return {
    seen,
    get shown() {
      return result.current
    },
    become: (next: EntityStatus | undefined) => rerender({ status: next }),
  }
}

const pass = (milliseconds: number) => act(async () => vi.advanceTimersByTimeAsync(milliseconds))

it('never shows a status that is over within the delay', async () => {
  const badge = follow('synced')
  badge.become('pending')
  await pass(150)
  badge.become('syncing')
  await pass(149)
  badge.become('synced')
  await pass(1000)
  expect([...new Set(badge.seen.map(({ shown }) => shown))]).toEqual(['synced', 'settling'])
})

it('shows a status that lasts as soon as the delay is over', async () => {
  const badge = follow('synced')
  badge.become('pending')
  await pass(299)
  expect(badge.shown).toBe('settling')
  await pass(1)
  expect(badge.shown).toBe('pending')
})

it('starts the delay anew for each run', async () => {
  const badge = follow('pending')
  await pass(200)
  badge.become('synced')
  badge.become('pending')
  await pass(299)
  expect(badge.shown).toBe('settling')
  await pass(1)
  expect(badge.shown).toBe('pending')
})

it('shows an error at once, and takes it away at once', async () => {
  const badge = follow('pending')
  await pass(300)
  badge.become('error')
  expect(badge.shown).toBe('error')
  badge.become('pending')
  expect(badge.shown).toBe('settling')
})

it('does not show the status before in a single render', () => {
  const badge = follow('synced')
  badge.become('pending')
  badge.become('error')
  badge.become('synced')
  for (const { status, shown } of badge.seen) {
    expect(shown).toBe(status === 'pending' ? 'settling' : status)
  }
})

it('takes a delay of its own, and none at all', async () => {
  const slow = follow('pending', 1000)
  await pass(999)
  expect(slow.shown).toBe('settling')
  await pass(1)
  expect(slow.shown).toBe('pending')
  expect(follow('pending', 0).shown).toBe('pending')
})

it('shows nothing where there is no status', () => {
  const badge = follow(undefined)
  expect(badge.shown).toBe(undefined)
  badge.become('pending')
  expect(badge.shown).toBe('settling')
})

it('leaves no timer behind', async () => {
  const { unmount } = renderHook(() => useSteadyStatus('pending'), { wrapper: StrictMode })
  expect(vi.getTimerCount()).toBe(1)
  unmount()
  expect(vi.getTimerCount()).toBe(0)
})
