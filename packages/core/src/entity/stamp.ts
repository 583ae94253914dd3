/**
 * The identity of one write, for ever [L1]: no rebase, generation or device changes it.
 * Unique because an actor names one writer, and a writer's clock only goes up.
 */
export interface Stamp {
  /** Hybrid-logical time in microseconds since the Unix epoch. */
  readonly lastModified: number
  /** `user/replica/writer`, see `formatActor`. */
  readonly actor: string
}

/** Orders writes: the later one wins; between equal times the greater actor, on every device alike. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.lastModified !== b.lastModified) return a.lastModified - b.lastModified
  return a.actor < b.actor ? -1 : a.actor > b.actor ? 1 : 0
}

export function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.lastModified === b.lastModified && a.actor === b.actor
}

export interface ActorParts {
  /** The user id that the relay authenticated. */
  readonly user: string
  /** The device's database. */
  readonly replica: string
  /** The Yjs client id that a tab leases; what keeps the stamps of two tabs apart. */
  readonly writer: number
}

export function formatActor({ user, replica, writer }: ActorParts): string {
  return `${user}/${replica}/${writer.toString(36)}`
}

/** The user of an actor. User ids hold no slash (`USER_ID`), so the first one ends it. */
export function userOf(actor: string): string {
  const slash = actor.indexOf('/')
  return slash < 0 ? actor : actor.slice(0, slash)
}
