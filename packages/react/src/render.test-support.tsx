import { act, cleanup, type RenderResult, render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { FakeStore } from './fake-store.test-support.js'
import { StoreProvider } from './index.js'

/** Unmounts after each test, and fails one in which React complained. Call it once a file. */
export function watchReact(): void {
  let complaints: string[] = []
  beforeEach(() => {
    complaints = []
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })
    for (const method of ['error', 'warn'] as const) {
      vi.spyOn(console, method).mockImplementation((...details: unknown[]) => {
        complaints.push(details.map(String).join(' '))
      })
    }
  })
  afterEach(() => {
    cleanup()
    vi.useRealTimers()
    vi.restoreAllMocks()
    expect(complaints).toEqual([])
  })
}

/** Renders below a provider, and lets what is ready already be said. */
export async function renderWithStore(fake: FakeStore, ui: ReactNode): Promise<RenderResult> {
  const result = render(ui, {
    wrapper: ({ children }) => <StoreProvider store={fake.store}>{children}</StoreProvider>,
  })
  await act(async () => {})
  return result
}
