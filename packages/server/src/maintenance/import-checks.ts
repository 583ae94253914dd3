import { isTidemarkError } from '@tidemark/core'
import {
  COLLECTION_NAME,
  clocksOf,
  decodeContent,
  ENTITY_ID,
  GENERATION,
  isRegisterKey,
  isWhole,
} from '@tidemark/core/entity'
import { driftOf } from '../relay/drift.js'
import type { Limits } from '../relay/limits.js'
import type { ExportedEntity } from './export-format.js'

/**
 * What an entity of an export must be to get in: what the relay asks of operations, as far as it can be asked of a whole
 * document. Who wrote what can't be checked any more: the export vouches for it.
 *
 * @returns what is wrong; undefined when nothing is
 */
export function problemOfImport(
  { ref, head, update }: ExportedEntity,
  limits: Limits,
  now: number,
): string | undefined {
  if (!COLLECTION_NAME.test(ref.collection)) return 'Its collection has no valid name.'
  if (!ENTITY_ID.test(ref.id)) return 'It has no valid id.'
  if (!GENERATION.test(head.generation)) return 'Its generation is none.'
  if (update.length > limits.maxEntityBytes)
    return `It has ${update.length} bytes; ${limits.maxEntityBytes} are allowed.`
  if (head.clients.size > limits.maxClientsPerEntity)
    return `It has ${head.clients.size} client ids; ${limits.maxClientsPerEntity} are allowed.`
  try {
    if (!isWhole(update)) return 'A part of its document is missing.'
    const { live } = decodeContent(update)
    for (const [client, clock] of clocksOf(update)) {
      if ((head.clients.get(client)?.clock ?? -1) < clock)
        return `Client id ${client} belongs to nobody, or has written more than it says.`
    }
    if (live.some(({ field }) => !isRegisterKey(field))) return 'It has a forbidden field name.'
    const drift = driftOf(head, live, undefined, now, limits)
    return drift === undefined ? undefined : `It ${drift}`
  } catch (error) {
    if (isTidemarkError(error)) return error.message
    throw error
  }
}
