import type { Log } from '../log.js'
import type { Revocation } from './ports.js'

/** About 200 bytes each. */
const CAPACITY = 65_536

/**
 * What was taken back, and when: a token proves nothing any more that was issued before. Kept in memory until the process
 * ends, since only the tokens' issuer can say for how long they would be good.
 */
export interface Revocations {
  note(revocation: Revocation, now: number): void
  /** Whether what was issued to the user then, in milliseconds since the epoch, was taken back: as a whole, or for a space. */
  covers(user: string, issuedAt: number, space?: string): boolean
}

export function createRevocations(log: Log, capacity: number = CAPACITY): Revocations {
  const times = new Map<string, number>()
  return {
    note({ user, space }, now) {
      const key = keyOf(user, space)
      times.delete(key)
      times.set(key, now)
      if (times.size <= capacity) return
      for (const oldest of times.keys()) {
        times.delete(oldest)
        log.warn({ capacity }, 'too many revocations: the oldest one is forgotten')
        break
      }
    },
    covers: (user, issuedAt, space) => issuedAt <= (times.get(keyOf(user, space)) ?? -1),
  }
}

/** No user id holds a slash. */
function keyOf(user: string, space: string | undefined): string {
  return space === undefined ? user : `${user}/${space}`
}
