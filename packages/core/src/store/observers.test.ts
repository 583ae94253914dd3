import { describe, expect, test, vi } from 'vitest'
import { uncaughtErrors } from '../query/uncaught-errors.test-support.js'
import { createObservers, derive } from './observers.js'

const microtasks = (): Promise<void> => Promise.resolve()

describe('observers', () => {
  test('are told once after a task, however often it touched', async () => {
    const observers = createObservers()
    const listener = vi.fn()
    observers.subscribe(listener)
    observers.touch()
    observers.touch()
    expect(listener).not.toHaveBeenCalled()
    await microtasks()
    expect(listener).toHaveBeenCalledTimes(1)
    observers.touch()
    await microtasks()
    expect(listener).toHaveBeenCalledTimes(2)
  })

  test('are as many as subscriptions, even of one function, and leave one by one', async () => {
    const observers = createObservers()
    const listener = vi.fn()
    const leave = observers.subscribe(listener)
    observers.subscribe(listener)
    leave()
    leave()
    observers.touch()
    await microtasks()
    expect(listener).toHaveBeenCalledTimes(1)
  })

  test('[B19] are told even when one of them throws, and its error is not lost', async () => {
    const observers = createObservers()
    const errors = uncaughtErrors()
    const second = vi.fn()
    observers.subscribe(() => {
      throw new Error('a bug of the app')
    })
    observers.subscribe(second)
    observers.touch()
    await vi.waitFor(() => expect(errors).toEqual(['a bug of the app']))
    expect(second).toHaveBeenCalledTimes(1)
  })

  test('are not told any more once an earlier one has unsubscribed them', async () => {
    const observers = createObservers()
    const second = vi.fn()
    let leave = (): void => undefined
    observers.subscribe(() => leave())
    leave = observers.subscribe(second)
    observers.touch()
    await microtasks()
    expect(second).not.toHaveBeenCalled()
  })
})

describe('a derived value', () => {
  interface Point {
    readonly x: number
  }
  function derived() {
    const observers = createObservers()
    let x = 0
    const point = derive<Point>(
      () => ({ x }),
      (a, b) => a.x === b.x,
      observers,
    )
    return {
      point,
      set(next: number) {
        x = next
        observers.touch()
      },
    }
  }

  test('is the same object until it differs', () => {
    const { point, set } = derived()
    const before = point.current
    set(0)
    expect(point.current).toBe(before)
    set(1)
    expect(point.current).toEqual({ x: 1 })
    expect(point.current).not.toBe(before)
  })

  test('tells its listeners of what differs from what each heard last', async () => {
    const { point, set } = derived()
    const listener = vi.fn()
    point.subscribe(listener)
    set(0)
    await microtasks()
    expect(listener).not.toHaveBeenCalled()
    set(1)
    set(0)
    await microtasks()
    expect(listener).not.toHaveBeenCalled()
    set(2)
    await microtasks()
    expect(listener).toHaveBeenCalledTimes(1)
    expect(listener).toHaveBeenCalledWith({ x: 2 })
  })

  test('tells also a listener before which somebody has read the new value', async () => {
    const { point, set } = derived()
    const listener = vi.fn()
    point.subscribe(listener)
    set(1)
    expect(point.current).toEqual({ x: 1 })
    await microtasks()
    expect(listener).toHaveBeenCalledTimes(1)
  })
})
