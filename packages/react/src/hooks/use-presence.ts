import type {
  CollectionHandle,
  Presence,
  PresencePeer,
  PresenceView,
  StorableValue,
} from '@tidemark/core'
import { useEffect, useMemo } from 'react'
import type { AnyStore } from './store-context.js'
import { useReadable } from './use-readable.js'

/** Who is there, as a component sees it. */
export interface PresenceResult<State = StorableValue> {
  /** This tab first, if it has said a state, then the others. Each is the same object until it changes. */
  readonly peers: readonly PresencePeer<State>[]
  /** False while the relay can't be reached, and on a server: then the others are who was there before. */
  readonly isLive: boolean
  /**
   * Says a state without rendering, for what moves with the pointer. @throws TidemarkError `value-invalid`
   */
  readonly set: (state: State) => void
  /** This tab is there no longer. */
  readonly clear: () => void
}

const NOBODY: PresenceView<never> = { peers: [], isLive: false }

/** What is shown while it is not known which entity to be at. */
const NOWHERE: Presence<never> = {
  current: NOBODY,
  subscribe: () => () => {},
  set() {},
  clear() {},
  leave() {},
}

/**
 * Who is in the space: `usePresence(store, { name })`. While the component is mounted it hears of the others, and this tab is
 * there if there is a state.
 *
 * @param state JSON, written inline if you like: it is said again only when it is another one. Undefined: only looks.
 */
export function usePresence<State = StorableValue>(
  store: AnyStore,
  state?: State,
): PresenceResult<State>
/**
 * Who is at an entity: `usePresence(store.cards, id, { field: 'title' })`.
 *
 * @param id undefined while it is not known which entity to be at.
 */
export function usePresence<State = StorableValue>(
  collection: Pick<CollectionHandle, 'name' | 'presence'>,
  id: string | undefined,
  state?: State,
): PresenceResult<State>
export function usePresence<State>(
  target: AnyStore | Pick<CollectionHandle, 'name' | 'presence'>,
  ...rest: readonly unknown[]
): PresenceResult<State> {
  const isStore = 'transact' in target
  const id = isStore ? undefined : (rest[0] as string | undefined)
  const state = rest[isStore ? 0 : 1] as State | undefined
  const presence = useMemo((): Presence<State> => {
    if ('transact' in target) return target.presence<State>()
    return id === undefined ? NOWHERE : target.presence<State>(id)
  }, [target, id])
  const view = useReadable<PresenceView<State>>(presence, NOBODY)

  const text = state === undefined ? undefined : JSON.stringify(state)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a state that says the same is no other one.
  useEffect(() => {
    if (state === undefined) return undefined
    presence.set(state)
    return () => presence.clear()
  }, [presence, text])
  useEffect(() => () => presence.leave(), [presence])

  return useMemo(() => ({ ...view, set: presence.set, clear: presence.clear }), [view, presence])
}
