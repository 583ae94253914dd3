import type { Platform } from '../platform/index.js'
import { type ClientLease, leaseNewClient } from '../sync/index.js'

/** More free ids than tabs anybody opens; the oldest is forgotten, which only costs a new one. */
const MAX_LEASABLE = 32

/** The Yjs client id that this tab writes under, and the replica's list of those that may be leased again [L19]. */
export interface ClientIds {
  readonly client: number
  /** The list with this tab's id in it. */
  listed(known: readonly number[]): readonly number[]
  /** Takes an id that nobody has used; the one before it is never leased again. */
  rotate(known: readonly number[]): {
    readonly client: number
    readonly clients: readonly number[]
  }
  release(): void
}

export function createClientIds(
  name: string,
  first: ClientLease,
  { random, locks }: Pick<Platform, 'random' | 'locks'>,
): ClientIds {
  let lease = first
  /**
   * Ids that were taken out of use stay locked as long as the tab lives: another tab may have read the list with them in
   * it and would take one over, with its used stamps and with clocks of structs that no longer exist.
   */
  const retired: ClientLease[] = []

  function listed(known: readonly number[]): readonly number[] {
    if (!lease.reusable || known.includes(lease.client)) return known
    return [...known, lease.client].slice(-MAX_LEASABLE)
  }

  return {
    get client() {
      return lease.client
    },
    listed,
    rotate(known) {
      const old = lease
      lease = leaseNewClient(name, random, locks)
      retired.push(old)
      return {
        client: lease.client,
        clients: listed(known.filter((client) => client !== old.client)),
      }
    },
    release() {
      for (const { release } of [...retired, lease]) release()
    },
  }
}
