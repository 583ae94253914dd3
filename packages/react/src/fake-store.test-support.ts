import type {
  Collection,
  CollectionHandle,
  EntityRow,
  EntityStatus,
  OperationInfo,
  Presence,
  PresencePeer,
  PresenceView,
  QueryOptions,
  Readable,
  Store,
  StoreStatus,
} from '@tidemark/core'
import * as z from 'zod'

const fields = { title: z.string(), done: z.boolean() }

export type CardFields = typeof fields
export type Card = EntityRow<CardFields>
type FakeCollections = { readonly cards: Collection<CardFields> }

/** A store that does what a test tells it to, and counts who listens. */
export interface FakeStore {
  readonly store: Store<FakeCollections>
  /** Listeners at this moment, on whatever the store hands out. */
  readonly subscriptions: number
  /** What `retry`, `discard`, and `set` and `clear` of presences were called with. */
  readonly calls: readonly string[]
  put(id: string, change?: Partial<Omit<Card, 'id'>>): void
  remove(id: string): void
  setStatus(change: Partial<StoreStatus>): void
  setOperations(operations: readonly OperationInfo[]): void
  /** Who is on a topic: '' for the space, or `cards/<id>`. */
  setPeers(topic: string, peers: readonly PresencePeer<never>[]): void
  finishLoading(): void
  failLoading(error: Error): void
}

interface Value<T> extends Readable<T> {
  set(value: T): void
}

export function createFakeStore(): FakeStore {
  let subscriptions = 0
  const calls: string[] = []
  let finishLoading = () => {}
  let failLoading = (_error: Error) => {}
  const ready = new Promise<void>((resolve, reject) => {
    finishLoading = resolve
    failLoading = reject
  })
  const status = value<StoreStatus>({
    connection: 'online',
    pending: 0,
    syncing: 0,
    failed: 0,
    lastSyncedAt: null,
    error: null,
  })
  const operations = value<readonly OperationInfo[]>([])
  const places = new Map<string, Value<PresenceView<never>>>()
  const cards = value<ReadonlyMap<string, Card>>(new Map())

  const handle: CollectionHandle<CardFields> = {
    name: 'cards',
    insert: noWrites,
    update: noWrites,
    delete: noWrites,
    restore: noWrites,
    open: noWrites,
    snapshots: noWrites,
    presence: (id) => presenceOf(`cards/${id}`),
    get: (id) => cards.current.get(id),
    // Like the real one, it tells the listeners of this entity only.
    watch: (id) => derive(cards, (rows) => rows.get(id)),
    // Unlike the real one, it makes a new array at every change of any card.
    query: (options) => derive(cards, (rows) => select([...rows.values()], options)),
  }

  return {
    store: {
      schema: { version: 1, collections: { cards: { fields } } },
      user: 'ada',
      ready,
      status,
      operations: {
        get current() {
          return operations.current
        },
        subscribe: operations.subscribe,
        list: () => operations.current,
        retry: async (id) => {
          calls.push(`retry ${id}`)
        },
        discard: async (id) => {
          calls.push(`discard ${id}`)
        },
        rollback: async (id) => {
          calls.push(`rollback ${id}`)
        },
        rollbackAll: noWrites,
      },
      transact: noWrites,
      presence: () => presenceOf(''),
      undo: () => undefined,
      redo: () => undefined,
      history: value({ canUndo: false, canRedo: false }),
      reconnect: () => undefined,
      close: () => Promise.resolve(),
      destroy: () => Promise.resolve(),
      cards: handle,
    },
    get subscriptions() {
      return subscriptions
    },
    calls,
    put(id, change) {
      const card = { ...(cards.current.get(id) ?? newCard(id)), ...change }
      cards.set(new Map(cards.current).set(id, Object.freeze(card)))
    },
    remove(id) {
      cards.set(new Map([...cards.current].filter(([key]) => key !== id)))
    },
    setStatus: (change) => status.set({ ...status.current, ...change }),
    setOperations: operations.set,
    setPeers: (topic, peers) => placeOf(topic).set({ peers, isLive: true }),
    finishLoading,
    failLoading,
  }

  function placeOf(topic: string): Value<PresenceView<never>> {
    let place = places.get(topic)
    if (place === undefined) {
      place = value<PresenceView<never>>({ peers: [], isLive: false })
      places.set(topic, place)
    }
    return place
  }

  /** Like the real one, each call gives another one. */
  function presenceOf(topic: string): Presence<never> {
    const place = placeOf(topic)
    return {
      get current() {
        return place.current
      },
      subscribe: place.subscribe,
      set: (state) => calls.push(`set ${topic} ${JSON.stringify(state)}`),
      clear: () => calls.push(`clear ${topic}`),
      leave: () => calls.push(`leave ${topic}`),
    }
  }

  function value<T>(initial: T): Value<T> {
    let current = initial
    const listeners = new Set<(value: T) => void>()
    return {
      get current() {
        return current
      },
      set(next) {
        current = next
        for (const listener of [...listeners]) listener(next)
      },
      subscribe(listener) {
        const own = (next: T) => listener(next)
        listeners.add(own)
        subscriptions += 1
        return () => {
          if (listeners.delete(own)) subscriptions -= 1
        }
      },
    }
  }
}

/** A readable over another; computed once a change of it. */
function derive<T, U>(source: Readable<T>, compute: (value: T) => U): Readable<U> {
  let last: { readonly input: T; readonly output: U } | undefined
  const read = (): U => {
    if (last?.input !== source.current) {
      last = { input: source.current, output: compute(source.current) }
    }
    return last.output
  }
  return {
    get current() {
      return read()
    },
    subscribe(listener) {
      let told = read()
      return source.subscribe(() => {
        if (read() === told) return
        told = read()
        listener(told)
      })
    },
  }
}

function select(rows: readonly Card[], options: QueryOptions<CardFields> = {}): readonly Card[] {
  const { where, limit } = options
  const matches = rows.filter((row) => typeof where !== 'function' || where(row))
  return Object.freeze(matches.slice(0, limit))
}

function newCard(id: string): Card {
  return {
    id,
    title: `Card ${id}`,
    done: false,
    $status: 'synced' satisfies EntityStatus,
    $version: { sequence: 1, lastModified: 1_000_000, confirmedSequence: 1 },
    $conflicts: {},
    $error: undefined,
  }
}

function noWrites(): never {
  throw new Error('The fake store has no writes. Use put() and remove().')
}
