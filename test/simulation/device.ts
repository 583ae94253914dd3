import {
  type Collections,
  createMemoryDisk,
  createMemoryStorage,
  createStoreOn,
  type LockManager,
  type MemoryDisk,
  type Platform,
  type Schema,
  type Store,
  type StoreOptions,
} from '@tidemark/core'
import { createWrongClock, type WrongClock } from './clocks.js'
import type { Network } from './network.js'
import type { SeededRandom } from './random.js'
import type { Scheduler } from './scheduler.js'

export interface Tab<C extends Collections> {
  readonly store: Store<C>
  readonly alive: boolean
  /** Ends it at once: nothing of it ever goes on, and what it was saving either reached the disk or didn't. */
  crash(): void
  /** Ends it as a person does. */
  close(): Promise<void>
}

/** A browser profile: its disk stays, its tabs come and go. */
export interface Device<C extends Collections> {
  readonly disk: MemoryDisk
  readonly clock: WrongClock
  online: boolean
  /** The chance that a message between tabs is lost. */
  messageLoss: number
  readonly tabs: readonly Tab<C>[]
  open(): Promise<Tab<C>>
  /** What a browser tells its tabs when the network is back or they are visible again. */
  hint(): void
}

export interface DeviceOptions<C extends Collections> {
  readonly schema: Schema<C>
  readonly user: string
  readonly auth?: StoreOptions<C>['auth']
  /** Whether tabs have Web Locks and BroadcastChannel. */
  readonly locks: boolean
}

const SAVE_MS = 12
const MESSAGE_MS = 8

export function createDevice<C extends Collections>(
  scheduler: Scheduler,
  random: SeededRandom,
  network: Network,
  options: DeviceOptions<C>,
): Device<C> {
  const disk = createMemoryDisk()
  const clock = createWrongClock(scheduler)
  const locks = createLocks(scheduler)
  const channels = createChannels(scheduler, random, () => device.messageLoss)
  const tabs: Tab<C>[] = []
  const hints = new Set<() => void>()
  /** Commits of all tabs reach the disk one after the other, as IndexedDB's do. */
  let lastCommit = 0

  async function open(): Promise<Tab<C>> {
    let alive = true
    const endings: (() => void)[] = []
    const whileAlive = (action: () => void) => () => {
      if (alive) action()
    }
    const transport = network.transport(() => device.online)
    const platform: Platform = {
      clock: {
        now: clock.now,
        schedule: (callback, milliseconds) => scheduler.after(milliseconds, whileAlive(callback)),
      },
      random: { bytes: (length) => random.bytes(length) },
      transport: {
        connect(url, handlers) {
          const connection = transport.connect(url, {
            onOpen: whileAlive(() => handlers.onOpen()),
            onMessage: (frame) => alive && handlers.onMessage(frame),
            onClose: (close) => alive && handlers.onClose(close),
          })
          endings.push(() => connection.close(1006, ''))
          return connection
        },
      },
      lifecycle: {
        subscribe(listener) {
          const own = whileAlive(listener)
          hints.add(own)
          return () => hints.delete(own)
        },
      },
      ...(options.locks && {
        locks: locks.forTab(() => alive, endings),
        channels: {
          open(name, onMessage) {
            const channel = channels.join(name, (message) => alive && onMessage(message))
            endings.push(channel.close)
            return channel
          },
        },
      }),
    }
    const storage = createMemoryStorage({
      disk,
      schedule: (commit) =>
        new Promise<void>((resolve) => {
          lastCommit = Math.max(lastCommit, scheduler.now + random.unit() * SAVE_MS)
          // A crash between the request and the commit loses it or not: the browser decides.
          const survivesCrash = random.chance(0.5)
          scheduler.after(lastCommit - scheduler.now, () => {
            if (alive || survivesCrash) commit()
            scheduler.after(random.unit() * 2, whileAlive(resolve))
          })
        }),
    })
    const store = createStoreOn(
      {
        schema: options.schema,
        user: options.user,
        space: 'team',
        url: 'ws://relay',
        ...(options.auth === undefined ? {} : { auth: options.auth }),
      },
      platform,
      storage,
    )
    const tab: Tab<C> = {
      store,
      get alive() {
        return alive
      },
      crash() {
        alive = false
        for (const end of endings) end()
        remove(tab)
      },
      async close() {
        remove(tab)
        await store.close()
        alive = false
        for (const end of endings) end()
      },
    }
    await store.ready
    tabs.push(tab)
    return tab
  }

  function remove(tab: Tab<C>): void {
    const index = tabs.indexOf(tab)
    if (index >= 0) tabs.splice(index, 1)
  }

  const device: Device<C> = {
    disk,
    clock,
    online: true,
    messageLoss: 0.02,
    tabs,
    open,
    hint() {
      for (const hint of [...hints]) hint()
    },
  }
  return device
}

/** Web Locks among the tabs of one device: granted in order, released when the holder ends. */
function createLocks(scheduler: Scheduler) {
  interface Waiting {
    readonly grant: () => void
    readonly isAlive: () => boolean
  }
  const held = new Set<string>()
  const queues = new Map<string, Waiting[]>()

  function release(name: string): void {
    held.delete(name)
    const queue = queues.get(name) ?? []
    for (;;) {
      const next = queue.shift()
      if (next === undefined) return
      if (!next.isAlive()) continue
      held.add(name)
      scheduler.after(0, next.grant)
      return
    }
  }

  return {
    forTab: (isAlive: () => boolean, endings: (() => void)[]): LockManager => ({
      request: (name, { ifAvailable = false, signal }, hold) =>
        new Promise((resolve, reject) => {
          const grant = (): void => {
            let released = false
            const free = (): void => {
              if (released) return
              released = true
              release(name)
            }
            endings.push(free)
            if (!isAlive()) {
              free()
              return
            }
            hold(true).then(
              () => {
                free()
                resolve()
              },
              (error) => {
                free()
                reject(error)
              },
            )
          }
          if (!held.has(name)) {
            held.add(name)
            grant()
          } else if (ifAvailable) {
            hold(false).then(resolve, reject)
          } else {
            const queue = queues.get(name) ?? []
            queues.set(name, queue)
            const waiting = { grant, isAlive }
            queue.push(waiting)
            signal?.addEventListener('abort', () => {
              const index = queue.indexOf(waiting)
              if (index < 0) return
              queue.splice(index, 1)
              reject(new Error('aborted'))
            })
          }
        }),
    }),
  }
}

/** BroadcastChannel among the tabs of one device: in order, late, and (a frozen tab) not always. */
function createChannels(scheduler: Scheduler, random: SeededRandom, loss: () => number) {
  const members = new Map<string, Set<(message: unknown) => void>>()
  let lastArrival = 0
  return {
    join(name: string, onMessage: (message: unknown) => void) {
      const channel = members.get(name) ?? new Set()
      members.set(name, channel)
      channel.add(onMessage)
      return {
        post(message: unknown) {
          const copy: unknown = structuredClone(message)
          for (const member of channel) {
            if (member === onMessage || random.chance(loss())) continue
            lastArrival = Math.max(lastArrival, scheduler.now + random.unit() * MESSAGE_MS)
            scheduler.after(lastArrival - scheduler.now, () => channel.has(member) && member(copy))
          }
        },
        close: () => void channel.delete(onMessage),
      }
    },
  }
}
