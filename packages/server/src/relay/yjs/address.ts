import { COLLECTION_NAME, ENTITY_ID, lifeOf, SPACE_NAME } from '@tidemark/core/entity'
import type { EntityRef } from '../../storage/index.js'

/** Which document a stock Yjs client asks for. */
export interface YjsAddress {
  readonly space: string
  readonly ref: EntityRef
  /** Which life of the entity [L23]: text of one life must not get into another one. */
  readonly life: number
}

const PREFIX = '/yjs/'
const LIFE = /^[1-9]\d{0,8}$/

export function isYjsPath(path: string): boolean {
  return path.startsWith(PREFIX)
}

/**
 * Reads `/yjs/<space>/<collection>/<id>`, and `…/<life>` for an entity that was made anew.
 *
 * @param path as it stands in the request, without what follows a question mark; not normalised, so that `..` and `%2e`
 *   are names like any other, and no valid ones (SEC-11)
 */
export function parseYjsPath(path: string): YjsAddress | undefined {
  if (!isYjsPath(path)) return undefined
  const [space, collection, id, life, ...rest] = path.slice(PREFIX.length).split('/').map(decoded)
  if (space === undefined || collection === undefined || id === undefined || rest.length > 0)
    return undefined
  if (!SPACE_NAME.test(space) || !COLLECTION_NAME.test(collection) || !ENTITY_ID.test(id))
    return undefined
  if (life !== undefined && !LIFE.test(life)) return undefined
  return { space, ref: { collection, id }, life: life === undefined ? 0 : lifeOf(life) }
}

/** What can't be decoded is no name. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return ''
  }
}

export function yjsPathOf({ space, ref, life }: YjsAddress): string {
  const path = `${space}/${ref.collection}/${ref.id}`
  return life === 0 ? path : `${path}/${life}`
}
