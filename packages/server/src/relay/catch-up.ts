import type { Clock } from '@tidemark/core'
import { mergeUpdates } from '@tidemark/core/entity'
import { type EntityState, encodeRelayMessage } from '@tidemark/core/protocol'
import type { Log } from '../log.js'
import type { EntityPage, EntityRef, RelayStorage } from '../storage/index.js'
import type { DamagedEntities } from './damaged-entities.js'
import { toEntityState } from './entity-state.js'
import type { Hub, Subscriber } from './hub.js'
import type { Limits } from './limits.js'
import type { Author } from './ports.js'
import type { Sequencer } from './sequencer.js'

/** How soon a slow reader is looked at again, at first and after having been too slow over and over. */
const POLL_MS = 20
const SLOWEST_POLL_MS = 640
/**
 * The first page of a connection; each one after it may be twice as large. On a link that is slow and cut over and over,
 * something arrives as a whole and needn't be sent again (SLOW-4).
 */
const FIRST_PAGE_BYTES = 16 * 1024

export interface CatchUpOptions {
  readonly storage: RelayStorage
  readonly sequencer: Sequencer
  readonly hub: Hub
  readonly damaged: DamagedEntities
  readonly clock: Clock
  readonly limits: Limits
  readonly log: Log
  readonly space: string
  readonly since: number
  /** The reader takes what it gets for all that there is: it needs no tombstones. */
  readonly fresh: boolean
  readonly subscriber: Subscriber
  /** Who reads: what they have pushed before is answered before. */
  readonly author?: Author | undefined
  bufferedBytes(): number
  isOpen(): boolean
  /** Milliseconds until the reader may have the next page. */
  untilPage(): number
  paged(entities: number, bytes: number): void
  /** The space can't be read; nothing more will come. */
  fail(): void
}

/**
 * Sends every entity that changed after `since` once, page by page, no faster than the reader reads; says `caughtUp` at the
 * head and makes the channel live in that same turn [L21]. Whoever's checkpoint is older than the purge horizon can't be told
 * what is gone, and gets everything from the start instead [L23].
 */
export function startCatchUp(options: CatchUpOptions): void {
  const { storage, sequencer, hub, damaged, clock, limits, log, space, subscriber } = options
  const maxEntities = limits.pageEntities
  let maxBytes = Math.min(limits.pageBytes, FIRST_PAGE_BYTES)
  let poll = POLL_MS
  let { since, fresh } = options

  function step(): void {
    if (!options.isOpen()) return
    if (options.bufferedBytes() > limits.pageLowWater) {
      clock.schedule(step, poll)
      poll = Math.min(2 * poll, SLOWEST_POLL_MS)
      return
    }
    poll = POLL_MS
    const wait = options.untilPage()
    if (wait > 0) clock.schedule(step, wait)
    else sequencer.read(sendPage, options.author)
  }

  async function sendPage(): Promise<void> {
    if (!options.isOpen()) return
    try {
      const { channel } = subscriber
      const horizon = await storage.horizon(space)
      // Looked at with every page: the horizon may pass a slow reader.
      if (!fresh && options.since > 0 && options.since < horizon) {
        subscriber.send(encodeRelayMessage({ type: 'reset', channel }))
        since = 0
        fresh = true
      }
      const page = await storage.entitiesSince(space, since, { maxEntities, maxBytes })
      if (!options.isOpen()) return
      report(page)
      since = page.through
      let bytes = 0
      if (page.entities.length > 0) {
        const frame = encodeRelayMessage({ type: 'page', channel, entities: toStates(page) })
        bytes = frame.length
        subscriber.send(frame)
      }
      options.paged(page.entities.length, bytes)
      maxBytes = Math.min(limits.pageBytes, 2 * maxBytes)
      if (!page.complete) return step()
      subscriber.send(encodeRelayMessage({ type: 'caughtUp', channel, sequence: since, horizon }))
      // Perhaps this one has what is damaged here.
      const missing = damaged.in(space)
      if (missing.length > 0) subscriber.send(wanted(missing)(channel))
      hub.join(space, subscriber, since)
    } catch (error) {
      log.error({ err: error, space }, "a catch-up can't be read")
      options.fail()
    }
  }

  function report({ corrupt }: EntityPage): void {
    if (corrupt.length === 0) return
    for (const { collection, id } of corrupt) {
      log.error({ space, collection, id }, 'an entity is damaged and left out')
    }
    damaged.note(space, corrupt)
    hub.tell(space, wanted(corrupt))
  }

  step()
}

/** Asks for entities that are damaged here. */
export function wanted(entities: readonly EntityRef[]): (channel: number) => Uint8Array {
  return (channel) => encodeRelayMessage({ type: 'wanted', channel, entities })
}

function toStates({ entities }: EntityPage): EntityState[] {
  return entities.map(({ ref, head, log }) => toEntityState(ref, head, mergeUpdates(log)))
}
