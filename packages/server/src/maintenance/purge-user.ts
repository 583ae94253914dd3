import { randomBytes } from 'node:crypto'
import {
  decodeContent,
  type Erasure,
  eraseWriter,
  mergeUpdates,
  renewedGeneration,
  USER_ID,
  userOf,
} from '@tidemark/core/entity'
import { isPinned, keepPin } from '../relay/pins.js'
import { ownedByNobody, RENEWAL_CLIENT } from '../relay/renewals.js'
import {
  type ClientBinding,
  countOperationsOf,
  type EntityHead,
  forgetAuthor,
  type MaintenanceStorage,
  openForMaintenance,
  type ScannedEntity,
  scanDatabase,
} from '../storage/index.js'
import { advanceHorizon } from './advance-horizon.js'
import { MaintenanceError } from './errors.js'
import { requireRoomToShrink, shrinkFile } from './shrink-file.js'

export interface PurgeUserOptions {
  /** The data directory; its relay must not run. */
  readonly data: string
  readonly user: string
  /** False only looks. */
  readonly erase: boolean
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export interface UserPurge {
  /** Entities in which there was nothing else; they are gone. `<space>/<collection>/<id>` */
  readonly removed: readonly string[]
  /** Entities that remain, without what the user wrote. */
  readonly rewritten: readonly string[]
  /** Accepted operations that no longer bear the user's name. */
  readonly operations: number
}

type ReadableEntity = Extract<ScannedEntity, { readonly head: EntityHead }>
type Erased = Exclude<Erasure, { readonly kind: 'untouched' | 'entangled' }>

/**
 * Erases what a user wrote in every space, and its bytes out of the database's files; all of it or, when it can't be told
 * from what others wrote, nothing. What is left of an entity is another document with a new version, which devices take in
 * the place of the one that they have.
 *
 * @throws MaintenanceError `entangled`, `data-damaged`, `name-invalid`, `disk-full`
 * @throws RelayStartError `data-missing`, `data-locked`
 */
export async function purgeUser(options: PurgeUserOptions): Promise<UserPurge> {
  if (!USER_ID.test(options.user))
    throw new MaintenanceError('name-invalid', `"${options.user}" is no name of a user.`)
  const storage = openForMaintenance(options.data)
  try {
    const found = look(storage, options.user)
    if (!options.erase) return found
    requireRoomToShrink(storage)
    await storage.transaction(() => erase(storage, options))
    // Also when nothing was found: a purge that was interrupted may have left bytes in the files.
    shrinkFile(storage)
    return found
  } finally {
    storage.close()
  }
}

function look(storage: MaintenanceStorage, user: string): UserPurge {
  const removed: string[] = []
  const rewritten: string[] = []
  const entangled: string[] = []
  for (const { entity, erasure } of erasures(storage, user)) {
    const name = nameOf(entity)
    if (erasure.kind === 'entangled') entangled.push(`${name} (${erasure.fields.join(', ')})`)
    else if (erasure.kind === 'empty') removed.push(name)
    else rewritten.push(name)
  }
  if (entangled.length > 0) {
    throw new MaintenanceError(
      'entangled',
      `What ${user} wrote can't be told from what others wrote in ${entangled.length} entities: ${entangled.join(', ')}. ` +
        'Something of others stands inside of what this user made, or nobody knows who typed it. Nothing was erased. Purge those entities as a ' +
        'whole (--space and --entity), or have the app rewrite them, and run this again.',
    )
  }
  return { removed, rewritten, operations: countOperationsOf(storage.database, user) }
}

async function erase(storage: MaintenanceStorage, options: PurgeUserOptions): Promise<void> {
  const { transaction: tx } = storage.statements
  const shrunk = new Set<string>()
  for (const { entity, erasure } of erasures(storage, options.user)) {
    if (erasure.kind === 'entangled') continue
    if (erasure.kind === 'empty') {
      await tx.deleteEntity(entity.space, entity.ref)
      shrunk.add(entity.space)
    } else {
      await rewrite(storage, entity, erasure, options)
    }
  }
  for (const space of shrunk) await advanceHorizon(storage, space)
  forgetAuthor(storage.database, options.user)
}

async function rewrite(
  { statements: { transaction: tx } }: MaintenanceStorage,
  { space, ref, head }: ReadableEntity,
  erasure: Extract<Erased, { readonly update: Uint8Array }>,
  { user, now }: PurgeUserOptions,
): Promise<void> {
  const { update } = erasure
  const sequence = await tx.takeSequence(space)
  await tx.putSnapshot(space, ref, update)
  await tx.putEntityHead(space, ref, {
    generation: renewedGeneration(head.generation, randomBytes(8).toString('hex')),
    sequence,
    versionSequence: head.versionSequence + 1,
    lastModified: Math.max(head.lastModified + 1, now() * 1000),
    clients:
      erasure.kind === 'renewed'
        ? new Map([[RENEWAL_CLIENT, ownedByNobody(erasure.items)]])
        : withoutOwner(head, update, user),
    snapshotBytes: update.length,
    logBytes: 0,
    logLength: 0,
    tombstoneAt: head.tombstoneAt,
  })
}

/** The items stay, and with them their client ids; those of the user belong to nobody. */
function withoutOwner(
  { clients }: EntityHead,
  update: Uint8Array,
  user: string,
): ReadonlyMap<number, ClientBinding> {
  const { clocks, tails } = decodeContent(update)
  const bindings = new Map<number, ClientBinding>()
  for (const [client, clock] of clocks) {
    const known = clients.get(client)
    const owner = known === undefined || known.user === user ? { user: '', replica: '' } : known
    bindings.set(client, {
      user: owner.user,
      replica: owner.replica,
      clock: Math.max(clock, known?.clock ?? 0),
      tail: tails.get(client) ?? known?.tail ?? null,
    })
  }
  keepPin(bindings, clients)
  return bindings
}

/** @throws MaintenanceError `data-damaged`: whether the user wrote in what can't be read can't be told */
function* erasures(
  { database }: MaintenanceStorage,
  user: string,
): Generator<{
  readonly entity: ReadableEntity
  readonly erasure: Erasure & { kind: Erased['kind'] | 'entangled' }
}> {
  const scan = scanDatabase(database)
  for (const { space } of [...scan.spaces()]) {
    for (const entity of scan.entities(space)) {
      if (entity.problem !== undefined) {
        throw new MaintenanceError(
          'data-damaged',
          `${nameOf(entity)} can't be read, so that it can't be told what ${user} wrote in it. Nothing was erased. ` +
            `Restore it, or purge it as a whole.`,
        )
      }
      const erasure = eraseWriter(mergeUpdates(entity.log), {
        isClient: (client) => isOwner(entity.head.clients.get(client), user),
        isActor: (actor) => userOf(actor) === user,
        renewalClient: RENEWAL_CLIENT,
        keepsItems: isPinned(entity.head.clients),
      })
      if (erasure.kind !== 'untouched') yield { entity, erasure }
    }
  }
}

/** What belongs to nobody may be anybody's: a device may have handed back what others wrote. */
function isOwner(binding: ClientBinding | undefined, user: string): boolean | undefined {
  return binding === undefined || binding.user === '' ? undefined : binding.user === user
}

function nameOf({ space, ref }: ScannedEntity): string {
  return `${space}/${ref.collection}/${ref.id}`
}
