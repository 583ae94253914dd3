/**
 * Ports: what the engine needs from its surroundings. The engine itself never reads a clock, draws a
 * random number, opens a socket or takes a lock except through these, which is what makes a whole
 * network of replicas run deterministically in one process.
 *
 * This folder holds interfaces only. Adapters live at the rim: `store/browser-platform.ts`,
 * `node/`, and the simulator in `test/`.
 */
export type { Channel, ChannelFactory } from './channel.js'
export type { Cancel, Clock } from './clock.js'
export type { Lifecycle } from './lifecycle.js'
export type { LockManager, LockOptions } from './locks.js'
export type { Random } from './random.js'
export type {
  Transport,
  TransportClose,
  TransportConnection,
  TransportHandlers,
} from './transport.js'

import type { ChannelFactory } from './channel.js'
import type { Clock } from './clock.js'
import type { Lifecycle } from './lifecycle.js'
import type { LockManager } from './locks.js'
import type { Random } from './random.js'
import type { Transport } from './transport.js'

/** Everything outside that a store touches, apart from its storage. */
export interface Platform {
  readonly clock: Clock
  readonly random: Random
  readonly transport: Transport
  /** Absent where the browser has no Web Locks: the tab then works alone. */
  readonly locks?: LockManager | undefined
  /** Absent where the browser has no BroadcastChannel: the tab then works alone. */
  readonly channels?: ChannelFactory | undefined
  readonly lifecycle?: Lifecycle | undefined
}
