import type { LockManager, Random } from '../platform/index.js'

/**
 * A Yjs client id that this tab alone writes under [L19].
 *
 * Ids belong to the replica and are leased: a tab takes a free one over before it makes a new one, so that an
 * entity's list of client ids stays short. Without Web Locks nobody could tell whether an id is free, so
 * it is a new one each time.
 */
export interface ClientLease {
  readonly client: number
  /** Whether the id may be leased again later, and so belongs into the replica's list. */
  readonly reusable: boolean
  release(): void
}

export async function leaseClient(
  name: string,
  known: readonly number[],
  random: Random,
  locks: LockManager | undefined,
): Promise<ClientLease> {
  if (locks === undefined)
    return { client: newClientId(random), reusable: false, release: () => undefined }
  for (const client of known) {
    const release = await tryLock(locks, lockName(name, client))
    if (release !== undefined) return { client, reusable: true, release }
  }
  return leaseNewClient(name, random, locks)
}

/** A lease on an id that nobody has ever used, at once. */
export function leaseNewClient(
  name: string,
  random: Random,
  locks: LockManager | undefined,
): ClientLease {
  const client = newClientId(random)
  if (locks === undefined) return { client, reusable: false, release: () => undefined }
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  locks.request(lockName(name, client), {}, () => held).catch(() => undefined)
  return { client, reusable: true, release }
}

function lockName(name: string, client: number): string {
  return `${name}:client:${client}`
}

/** Yjs takes 32 bits; 0 is kept out of the way of code that asks whether there is an id. */
function newClientId(random: Random): number {
  const bytes = random.bytes(4)
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) || 1
}

function tryLock(locks: LockManager, name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    locks
      .request(name, { ifAvailable: true }, (granted) => {
        if (!granted) {
          resolve(undefined)
          return Promise.resolve()
        }
        return new Promise<void>((release) => resolve(release))
      })
      .catch(reject)
  })
}
