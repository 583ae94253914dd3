import type { Readable } from '@tidemark/core'
import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react'

/**
 * The value of `readable`, re-rendering when it changes.
 *
 * @param serverValue what to render on a server and while hydrating. It has to be the same constant on
 *   both sides: a server has no local data, and a browser that showed its own at once would not match.
 */
export function useReadable<T>(readable: Readable<T>, serverValue: T): T {
  return useSyncExternalStore(
    useSubscribe(readable),
    () => readable.current,
    () => serverValue,
  )
}

/**
 * What `select` makes of the value, re-rendering when that changes. Arrays and plain objects with the
 * same members count as unchanged, and the earlier one is given again; `select` may be written inline.
 */
export function useSelected<T, Selected>(
  readable: Readable<T>,
  select: (value: T) => Selected,
  serverValue: T,
): Selected {
  const committed = useRef<{ readonly output: Selected } | undefined>(undefined)
  const [getSnapshot, getServerSnapshot] = useMemo(() => {
    const selectClient = stabilise(select, committed)
    const selectServer = stabilise(select, committed)
    return [() => selectClient(readable.current), () => selectServer(serverValue)] as const
  }, [readable, select, serverValue])
  const selected = useSyncExternalStore(useSubscribe(readable), getSnapshot, getServerSnapshot)
  useEffect(() => {
    committed.current = { output: selected }
  }, [selected])
  return selected
}

function useSubscribe<T>(readable: Readable<T>): (onChange: () => void) => () => void {
  return useCallback((onChange: () => void) => readable.subscribe(onChange), [readable])
}

/** `select`, giving the earlier result again while nothing in it differs. */
function stabilise<T, Selected>(
  select: (value: T) => Selected,
  committed: { readonly current: { readonly output: Selected } | undefined },
): (value: T) => Selected {
  let last: { readonly input: T; readonly output: Selected } | undefined
  return (input) => {
    if (last !== undefined && Object.is(last.input, input)) return last.output
    const earlier = last ?? committed.current
    const fresh = select(input)
    const output =
      earlier !== undefined && sameMembers(earlier.output, fresh) ? earlier.output : fresh
    last = { input, output }
    return output
  }
}

function sameMembers(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((member, index) => Object.is(member, b[index]))
  }
  if (!isPlainObject(a) || !isPlainObject(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && Object.is(a[key], b[key]))
  )
}

/** Others (a Date, a Map) keep what they are where keys don't show it. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
