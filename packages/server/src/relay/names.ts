import { USER_ID } from '@tidemark/core/entity'

/** The name of a device's database: part of actors, so without a slash. */
export const REPLICA_ID: RegExp = /^[A-Za-z0-9_-]{4,64}$/

/** Ids of operations are UUIDs; others pass that can't act as a storage key or in a log line. */
export const OPERATION_ID: RegExp = /^[A-Za-z0-9_-]{1,64}$/

/** Yjs client ids are 32 bits; in base 36 that is at most 7 digits. */
const WRITER = /^(?:0|[1-9a-z][0-9a-z]{0,6})$/

/** Whose write an actor says that it is; undefined when it is none. */
export function authorOf(
  actor: string,
): { readonly user: string; readonly replica: string; readonly writer: number } | undefined {
  const [user = '', replica = '', writer = '', ...rest] = actor.split('/')
  if (rest.length > 0 || !USER_ID.test(user) || !REPLICA_ID.test(replica) || !WRITER.test(writer))
    return undefined
  return { user, replica, writer: Number.parseInt(writer, 36) }
}

/** Whether an actor is `<user>/<replica>/<client id in base 36>` of that author. */
export function isActorOf(
  author: { readonly user: string; readonly replica: string },
  actor: string,
): boolean {
  const prefix = `${author.user}/${author.replica}/`
  if (!actor.startsWith(prefix)) return false
  const writer = actor.slice(prefix.length)
  return WRITER.test(writer) && Number.parseInt(writer, 36) < 2 ** 32
}
