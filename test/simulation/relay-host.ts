import {
  createMemoryDisk,
  createMemoryStorage,
  createRelay,
  type Limits,
  type MemoryDisk,
  type Relay,
  type RelayOptions,
  type RelayStorage,
} from '@tidemark/server'
import { createWrongClock } from './clocks.js'
import type { SeededRandom } from './random.js'
import type { Scheduler } from './scheduler.js'

/** A relay's machine: the disk stays, the process comes and goes. */
export interface RelayHost {
  readonly disk: MemoryDisk
  /** A copy of what is on the disk. */
  backup(): MemoryDisk
  /** Kills the process and puts a backup in the place of what was on the disk, which begins a new life with it [L22]. */
  restore(backup: MemoryDisk): void
  readonly relay: Relay | undefined
  /** Kills the process; a transaction that is under way either reached the disk or didn't. */
  crash(): void
  start(): void
  /** Somebody sets the machine's clock, to so many milliseconds ahead of virtual time. */
  setClock(ahead: number): void
  /** The latest time that its clock has told, in milliseconds. */
  readonly latest: number
}

export interface RelayHostOptions
  extends Pick<RelayOptions, 'authenticate' | 'authorize' | 'schema'> {
  readonly limits?: Partial<Limits>
  /** Puts something between the relay and its disk; for bugs that are put in on purpose. */
  readonly tamper?: (storage: RelayStorage, isAlive: () => boolean) => RelayStorage
}

/** A commit takes up to this long. */
const COMMIT_MS = 30

export function createRelayHost(
  scheduler: Scheduler,
  random: SeededRandom,
  { limits = {}, tamper, ...rules }: RelayHostOptions = {},
): RelayHost {
  let disk = createMemoryDisk('epoch-1')
  const clock = createWrongClock(scheduler)
  let relay: Relay | undefined
  let latest = 0
  let life = 0
  let epochs = 1

  function start(): void {
    life += 1
    const own = life
    const isAlive = (): boolean => own === life
    // What belongs to a dead process never goes on: its promises stay open for ever.
    const delay = (): Promise<void> =>
      new Promise((resolve) => {
        scheduler.after(random.unit() * COMMIT_MS, () => isAlive() && resolve())
      })
    const storage = createMemoryStorage({ disk, beforeCommit: delay, afterCommit: delay })
    relay = createRelay({
      storage: tamper?.(storage, isAlive) ?? storage,
      clock: {
        now() {
          latest = Math.max(latest, clock.now())
          return clock.now()
        },
        schedule: (callback, milliseconds) =>
          scheduler.after(milliseconds, () => isAlive() && callback()),
      },
      randomId: () => [...random.bytes(8)].map((byte) => byte.toString(16)).join(''),
      limits,
      ...rules,
    })
  }

  start()
  function crash(): void {
    life += 1
    relay = undefined
  }

  return {
    get disk() {
      return disk
    },
    backup: () => structuredClone(disk),
    restore(backup) {
      crash()
      epochs += 1
      disk = {
        ...structuredClone(backup),
        epoch: `epoch-${epochs}`,
        epochStartedAt: clock.now(),
      }
    },
    get relay() {
      return relay
    },
    crash,
    start,
    setClock(ahead) {
      clock.ahead = ahead
    },
    get latest() {
      return latest
    },
  }
}
