import type { Collections, Schema } from '@tidemark/core'
import { createDevice, type Device } from './device.js'
import { CALM, createNetwork, type Network } from './network.js'
import { seededRandom } from './random.js'
import { createRelayHost, type RelayHost, type RelayHostOptions } from './relay-host.js'
import { createScheduler } from './scheduler.js'

/** A calm world on a virtual clock, for scenarios that are told step by step. */
export interface Scenario<C extends Collections> {
  readonly relay: RelayHost
  readonly network: Network
  device(user: string): Device<C>
  /** Lets virtual time pass until `condition` holds. @throws when it doesn't within a minute of it */
  until(condition: () => boolean): Promise<void>
  /** The same for a promise. */
  wait<T>(promise: Promise<T>): Promise<T>
  pass(milliseconds: number): Promise<void>
}

const PATIENCE_MS = 60_000

export function createScenario<C extends Collections>(
  schema: Schema<C>,
  limits: RelayHostOptions['limits'] = {},
): Scenario<C> {
  const random = seededRandom(1)
  const scheduler = createScheduler()
  const relay = createRelayHost(scheduler, random.fork(), { limits })
  const network = createNetwork(scheduler, random.fork(), () => {
    const running = relay.relay
    return running && ((connection) => running.connect(connection))
  })
  network.faults = CALM

  async function until(condition: () => boolean): Promise<void> {
    if (await scheduler.runUntil(condition, PATIENCE_MS)) return
    throw new Error(`Still waiting after ${PATIENCE_MS} ms of virtual time: ${condition}`)
  }

  return {
    relay,
    network,
    device: (user) =>
      createDevice(scheduler, random.fork(), network, { schema, user, locks: true }),
    until,
    async wait(promise) {
      let settled = false
      const done = (): void => {
        settled = true
      }
      promise.then(done, done)
      await until(() => settled)
      return promise
    },
    pass: async (milliseconds) => void (await scheduler.runUntil(() => false, milliseconds)),
  }
}
