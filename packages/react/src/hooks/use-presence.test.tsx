// biome-ignore-all lint/correctness/noComponentHookFactories: a component of a test closes over the store of that test.
import { act, fireEvent, render, screen } from '@testing-library/react'
import { StrictMode } from 'react'
import { expect, expectTypeOf, it } from 'vitest'
import { createFakeStore } from '../fake-store.test-support.js'
import { type PresenceResult, usePresence } from '../index.js'
import { watchReact } from '../render.test-support.js'

watchReact()

interface Cursor {
  readonly x: number
}

const peer = (user: string, x: number) =>
  ({ id: `${user}/x`, user, isSelf: false, state: { x } }) as never

it('shows who is there, says the state when it is another one, and leaves with the component', async () => {
  const fake = createFakeStore()
  const results: PresenceResult<Cursor>[] = []
  const Cursors = ({ x }: { readonly x: number }) => {
    const result = usePresence(fake.store, { x })
    expectTypeOf(result).toEqualTypeOf<PresenceResult<{ x: number }>>()
    results.push(result)
    return result.peers.map(({ id, user, state }) => <li key={id}>{`${user} ${state.x}`}</li>)
  }
  const { rerender, unmount } = render(<Cursors x={1} />)
  rerender(<Cursors x={1} />)
  expect(fake.calls).toEqual(['set  {"x":1}'])
  expect(results.at(-1)).toBe(results[0])
  await act(async () => fake.setPeers('', [peer('bob', 5)]))
  expect(screen.getByRole('listitem').textContent).toBe('bob 5')
  expect(results.at(-1)).toMatchObject({ isLive: true })

  rerender(<Cursors x={2} />)
  expect(fake.calls.slice(1)).toEqual(['clear ', 'set  {"x":2}'])
  unmount()
  expect(fake.calls.slice(3)).toEqual(['clear ', 'leave '])
  expect(fake.subscriptions).toBe(0)
})

it('without a state only looks; what is set by hand is taken back with the component', async () => {
  const fake = createFakeStore()
  const Looking = () => {
    const { peers, set } = usePresence<Cursor>(fake.store.cards, 'a')
    return (
      <button type="button" onPointerMove={() => set({ x: 7 })}>
        {peers.length}
      </button>
    )
  }
  const { unmount } = render(<Looking />)
  expect(fake.calls).toEqual([])
  await act(async () => fake.setPeers('cards/a', [peer('bob', 5)]))
  expect(screen.getByRole('button').textContent).toBe('1')
  fireEvent.pointerMove(screen.getByRole('button'))
  expect(fake.calls).toEqual(['set cards/a {"x":7}'])
  unmount()
  expect(fake.calls.slice(1)).toEqual(['leave cards/a'])
})

it('goes from one entity to the next, and nowhere while there is none', async () => {
  const fake = createFakeStore()
  const At = ({ id }: { readonly id: string | undefined }) => (
    <p>{usePresence(fake.store.cards, id, 'here').peers.length}</p>
  )
  const { rerender } = render(<At id={undefined} />)
  expect([fake.calls, fake.subscriptions]).toEqual([[], 0])
  rerender(<At id="a" />)
  rerender(<At id="b" />)
  expect(fake.calls).toEqual([
    'set cards/a "here"',
    'clear cards/a',
    'leave cards/a',
    'set cards/b "here"',
  ])
  expect(fake.subscriptions).toBe(1)
})

it('in StrictMode ends there and listening', () => {
  const fake = createFakeStore()
  const Here = () => <p>{usePresence(fake.store, 'here').peers.length}</p>
  const { unmount } = render(<Here />, { wrapper: StrictMode })
  expect(fake.calls.at(-1)).toBe('set  "here"')
  expect(fake.subscriptions).toBe(1)
  unmount()
  expect(fake.calls.at(-1)).toBe('leave ')
  expect(fake.subscriptions).toBe(0)
})
