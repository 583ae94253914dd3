import type { StorableValue } from '../entity/index.js'
import type { Readable } from '../query/index.js'

/** Somebody who is there: one tab of one user. */
export interface PresencePeer<State = StorableValue> {
  /** The same for as long as that tab lives, also over reconnects. */
  readonly id: string
  /** As the relay authenticated it. */
  readonly user: string
  /** Frozen, the same object until it changes. */
  readonly state: State
  /** It is this tab. */
  readonly isSelf: boolean
}

export interface PresenceView<State = StorableValue> {
  /** This tab first, if it has said a state, then the others. Each is frozen and the same object until it changes. */
  readonly peers: readonly PresencePeer<State>[]
  /** Whether `peers` is how it is now. False while the relay can't be reached: the others are who was there before. */
  readonly isLive: boolean
}

/**
 * Who is in a space, or at one of its entities. It costs nothing until it is subscribed to or `set`; then this device hears
 * of everybody who is there. Several of one topic are one presence of this tab: what was set last is what others see.
 */
export interface Presence<State = StorableValue> extends Readable<PresenceView<State>> {
  /**
   * Says that this tab is there, and in what state: JSON of at most 4,096 bytes. Sent at most 20 times a second, the last one
   * wins; kept over reconnects, until it is cleared or the store is closed.
   *
   * @throws TidemarkError `value-invalid` for what isn't JSON, is too large, or doesn't fit the schema
   */
  set(state: State): void
  /** This tab is there no longer; it still hears of the others while somebody subscribes. */
  clear(): void
  /** `clear`, and the end of every subscription. */
  leave(): void
}
