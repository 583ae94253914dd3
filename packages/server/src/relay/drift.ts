import type { Element } from '@tidemark/core/entity'
import type { OperationPart } from '@tidemark/core/protocol'
import type { EntityHead } from '../storage/index.js'
import type { Limits } from './limits.js'

/**
 * What is wrong with the times of a part; undefined when they can be believed [L7].
 *
 * What is confirmed already counts as believable whatever the relay's own clock says: set back, it must block nobody
 * (reliability CLK-2), and whoever goes on from there needs a microsecond for each element and one for the envelope.
 */
export function driftOf(
  part: Pick<OperationPart, 'lastModified'>,
  elements: readonly Pick<Element, 'lastModified'>[],
  head: Pick<EntityHead, 'lastModified'> | undefined,
  now: number,
  { maxClockDrift }: Pick<Limits, 'maxClockDrift'>,
): string | undefined {
  const latest = elements.reduce(
    (greatest, { lastModified }) => Math.max(greatest, lastModified),
    part.lastModified,
  )
  const byClock = (now + maxClockDrift) * 1000
  const byHistory = (head?.lastModified ?? 0) + elements.length + 1
  if (latest <= Math.max(byClock, byHistory)) return undefined
  const ahead = Math.round(latest / 1000 - now)
  return `was written ${ahead} ms ahead of the relay's clock; ${maxClockDrift} are allowed.`
}
