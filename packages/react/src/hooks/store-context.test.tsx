// biome-ignore-all lint/correctness/noComponentHookFactories: a component of a test closes over the store of that test.
import { renderToString } from 'react-dom/server'
import { expect, expectTypeOf, it } from 'vitest'
import { createFakeStore, type FakeStore } from '../fake-store.test-support.js'
import { StoreProvider, useStore } from '../index.js'

it('hands out the store of the nearest provider', () => {
  const outer = createFakeStore()
  const inner = createFakeStore()
  const seen: unknown[] = []
  const Look = () => {
    seen.push(useStore())
    return null
  }
  renderToString(
    <StoreProvider store={outer.store}>
      <Look />
      <StoreProvider store={inner.store}>
        <Look />
      </StoreProvider>
    </StoreProvider>,
  )
  expect(seen).toEqual([outer.store, inner.store])
})

it('gives the store the type that is asked for', () => {
  const useCards = () => useStore<FakeStore['store']>().cards
  expectTypeOf<ReturnType<typeof useCards>>().toEqualTypeOf<FakeStore['store']['cards']>()
})

it('says what to do when there is no provider', () => {
  const Lost = () => <>{useStore().user}</>
  expect(() => renderToString(<Lost />)).toThrow(/Wrap the app in <StoreProvider store={store}>/)
})
