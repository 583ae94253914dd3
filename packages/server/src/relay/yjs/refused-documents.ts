/** Some hundred bytes each. */
const CAPACITY = 4_096
const REMEMBERED_MS = 60 * 60 * 1000

/**
 * Client ids under which somebody offered an edit that can't be taken. The document that they were written in holds it for
 * good, and shows what nobody else will ever see; so it is refused until it is loaded anew, under another client id.
 *
 * By user as well: nobody can have somebody else's document refused by writing under an id that is not theirs.
 */
export interface RefusedDocuments {
  add(entity: string, user: string, clients: Iterable<number>, now: number): void
  has(entity: string, user: string, client: number, now: number): boolean
}

export function createRefusedDocuments(capacity: number = CAPACITY): RefusedDocuments {
  // A Map iterates in the order of insertion: its first key is the oldest one.
  const until = new Map<string, number>()
  const keyOf = (entity: string, user: string, client: number): string =>
    `${entity}/${user}/${client}`

  return {
    add(entity, user, clients, now) {
      for (const client of clients) {
        const key = keyOf(entity, user, client)
        until.delete(key)
        until.set(key, now + REMEMBERED_MS)
      }
      for (const oldest of until.keys()) {
        if (until.size <= capacity) break
        until.delete(oldest)
      }
    },
    has(entity, user, client, now) {
      const key = keyOf(entity, user, client)
      const end = until.get(key)
      if (end !== undefined && end <= now) until.delete(key)
      return end !== undefined && end > now
    },
  }
}
