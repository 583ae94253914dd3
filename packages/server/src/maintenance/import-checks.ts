import { isTidemarkError } from '@tidemark/core'
import { COLLECTION_NAME, ENTITY_ID, GENERATION, validateDocument } from '@tidemark/core/entity'
import { driftOf } from '../relay/drift.js'
import type { Limits } from '../relay/limits.js'
import { authorOf } from '../relay/names.js'
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
  if (head.clients.size > limits.maxClientsPerEntity)
    return `It has ${head.clients.size} client ids; ${limits.maxClientsPerEntity} are allowed.`
  try {
    const { elements, clocks } = validateDocument(
      update,
      (actor) => authorOf(actor) !== undefined,
      {
        maxBytes: limits.maxEntityBytes,
        maxElements: Number.POSITIVE_INFINITY,
        maxDeletions: Number.POSITIVE_INFINITY,
        maxClients: limits.maxClientsPerEntity,
      },
    )
    for (const [client, clock] of clocks) {
      if ((head.clients.get(client)?.clock ?? -1) < clock)
        return `Client id ${client} belongs to nobody, or has written more than it says.`
    }
    const drift = driftOf(head, elements, undefined, now, limits)
    return drift === undefined ? undefined : `It ${drift}`
  } catch (error) {
    if (isTidemarkError(error)) return error.message
    throw error
  }
}
