// biome-ignore-all lint/correctness/noComponentHookFactories: a component of a test closes over the store of that test.
import { act, fireEvent, screen } from '@testing-library/react'
import type { OperationInfo } from '@tidemark/core'
import { expect, it } from 'vitest'
import { createFakeStore } from '../fake-store.test-support.js'
import { useOperations } from '../index.js'
import { renderWithStore, watchReact } from '../render.test-support.js'

watchReact()

const failed: OperationInfo = {
  id: 'op-1',
  state: 'failed',
  entities: [{ collection: 'cards', id: 'a' }],
  createdAt: 0,
  values: [{ title: 'Hello' }],
  attempts: 1,
  lastError: { code: 'forbidden', message: 'Not yours.' },
}

it('lists the outbox, and retries and discards', async () => {
  const fake = createFakeStore()
  const Outbox = () => {
    const { operations, retry, discard } = useOperations()
    return operations.map(({ id, lastError }) => (
      <li key={id}>
        {lastError?.message}
        <button type="button" onClick={() => retry(id)}>
          Retry
        </button>
        <button type="button" onClick={() => discard(id)}>
          Discard
        </button>
      </li>
    ))
  }
  await renderWithStore(fake, <Outbox />)
  expect(screen.queryByRole('listitem')).toBe(null)

  await act(async () => fake.setOperations([failed]))
  expect(screen.getByRole('listitem').textContent).toContain('Not yours.')
  fireEvent.click(screen.getByText('Retry'))
  fireEvent.click(screen.getByText('Discard'))
  expect(fake.calls).toEqual(['retry op-1', 'discard op-1'])

  await act(async () => fake.setOperations([]))
  expect(screen.queryByRole('listitem')).toBe(null)
})
