import {
  compareStamps,
  containsUpdate,
  counterFieldOf,
  decodeContent,
  type LiveElement,
  lifeOf,
  mergeUpdates,
  type RegisterWrite,
  writeRegisters,
} from '../entity/index.js'
import { type ConfirmedChange, confirmChange } from './confirmed.js'
import type { ConfirmedEntity } from './records.js'

/** Everything that a relay has, as against what was known of it. */
export interface Reading {
  /**
   * Whether its database is another one than the one that was followed: then what it lacks is lost and brought back. If not,
   * what it lacks has been purged [L22] [L23].
   */
  readonly isNewEpoch: boolean
  /** Whether its tombstones had been purged further than this device has ever followed it. */
  readonly isBehindHorizon: boolean
  /** The id of an operation that nobody has used. */
  newId(): string
  /** A Yjs client id that nobody has used. */
  readonly client: number
}

/**
 * What becomes of a confirmed snapshot once everything that the relay has of the entity is known.
 *
 * @returns undefined when it is gone
 */
export function reconcile(
  own: ConfirmedEntity | undefined,
  relay: ConfirmedChange | undefined,
  reading: Reading,
): ConfirmedEntity | undefined {
  if (own === undefined) return relay && confirmChange(undefined, relay)
  if (relay === undefined) {
    const isPurged = reading.isNewEpoch ? reading.isBehindHorizon : own.owed === undefined
    return isPurged ? undefined : owing(own, reading)
  }
  const there = confirmChange(undefined, relay)
  if (!reading.isNewEpoch && own.owed === undefined) return there
  if (own.generation === there.generation) {
    if (containsUpdate(there.bytes, own.bytes)) return there
    return owing(confirmChange({ ...own, confirmedSequence: 0 }, relay), reading)
  }
  const [life, lifeThere] = [lifeOf(own.generation), lifeOf(there.generation)]
  if (life > lifeThere) return owing(own, reading)
  if (life < lifeThere) return there
  const update = sayOn(own, there, reading.client)
  if (update === undefined) return there
  const change = { ...relay, isWhole: false, update: mergeUpdates([there.bytes, update]) }
  return owing(confirmChange(there, change), reading)
}

function owing(entity: ConfirmedEntity, { newId }: Reading): ConfirmedEntity {
  return { ...entity, confirmedSequence: 0, owed: { id: newId(), isAsked: false } }
}

/**
 * What `own` has and `there`, another document of the same life, lacks, said on that one. Which of two different values was
 * seen by the other's author can't be told any more: the later write counts as having seen the earlier one.
 *
 * @returns undefined when nothing is missing
 */
function sayOn(
  own: ConfirmedEntity,
  there: ConfirmedEntity,
  client: number,
): Uint8Array | undefined {
  const [mine, theirs] = [decodeContent(own.bytes), decodeContent(there.bytes)]
  const writes: RegisterWrite[] = []
  for (const element of mine.live) {
    if (counterFieldOf(element) !== undefined) continue
    const { client: _client, clock: _clock, ...write } = element
    const rivals = theirs.live.filter(({ field }) => field === element.field)
    if (rivals.some((rival) => compareStamps(rival, element) >= 0)) continue
    writes.push({ kind: 'set', ...write, supersedes: rivals })
  }
  writes.push(...missingCounts(mine.live, theirs.live))
  return writes.length === 0 ? undefined : writeRegisters(theirs, client, writes).update
}

/** By how much counters are behind. What was counted there since can't be told from what is missing. */
function missingCounts(
  mine: readonly LiveElement[],
  theirs: readonly LiveElement[],
): RegisterWrite[] {
  const writes: RegisterWrite[] = []
  const known = countsOf(theirs)
  for (const [field, { sum, latest }] of countsOf(mine)) {
    const there = known.get(field)
    const by = sum - (there?.sum ?? 0)
    if (by === 0 || (there !== undefined && compareStamps(there.latest, latest) >= 0)) continue
    const { lastModified, sequence, actor } = latest
    writes.push({ kind: 'increment', field, by, lastModified, sequence, actor })
  }
  return writes
}

interface Count {
  readonly sum: number
  readonly latest: LiveElement
}

function countsOf(elements: readonly LiveElement[]): Map<string, Count> {
  const counts = new Map<string, Count>()
  for (const element of elements) {
    const field = counterFieldOf(element)
    if (field === undefined) continue
    const { sum, latest } = counts.get(field) ?? { sum: 0, latest: element }
    const isLater = compareStamps(element, latest) > 0
    counts.set(field, { sum: sum + Number(element.value), latest: isLater ? element : latest })
  }
  return counts
}
