import {
  closeReader,
  openDatabaseReader,
  readMeta,
  readPragma,
  type ScannedEntity,
  type SqliteDatabase,
  scanDatabase,
  sizeOf,
} from '../storage/index.js'
import { MaintenanceError } from './errors.js'
import { type PlainEntity, plainEntity } from './plain-entity.js'
import { type Verification, verifyDatabase } from './verify.js'

/** Sizes in bytes; numbers of rows. */
export interface Overview {
  readonly epoch: string
  readonly schema: number
  readonly bytes: number
  readonly entities: number
  readonly operations: number
  readonly spaces: readonly {
    readonly space: string
    readonly head: number
    readonly horizon: number
    readonly entities: number
    readonly bytes: number
  }[]
}

/** One line about an entity. */
export interface EntitySummary {
  readonly entity: string
  readonly generation: string
  readonly confirmedSequence: number
  readonly sequence: number
  readonly lastModified: number
  readonly snapshotBytes: number
  readonly logBytes: number
  readonly logLength: number
  readonly clients: number
  readonly problem?: undefined
}

export interface DamagedSummary {
  readonly entity: string
  readonly problem: string
}

export interface EntityDetails extends EntitySummary {
  readonly plain: PlainEntity
  /** Yjs client ids, to whom they belong and how far each has got. */
  readonly owners: readonly {
    readonly client: number
    readonly user: string
    readonly replica: string
    readonly clock: number
  }[]
}

/** A look at data, as it is after one commit; its relay may be running. */
export interface Inspector {
  overview(): Overview
  /** @throws MaintenanceError `space-unknown` */
  entities(space: string): Generator<EntitySummary | DamagedSummary>
  /** @throws MaintenanceError `entity-unknown` */
  entity(space: string, name: string): EntityDetails | DamagedSummary
  verify(onProgress?: (done: number, total: number) => void): Verification
  close(): void
}

/** @throws RelayStartError why the database can't be read */
export function inspect(data: string): Inspector {
  const database = openDatabaseReader(data)
  database.exec('BEGIN')
  const scan = scanDatabase(database)
  return {
    overview: () => overviewOf(database),
    *entities(space) {
      if (scan.space(space) === undefined) throw unknownSpace(space)
      for (const entity of scan.entities(space)) yield summaryOf(entity)
    },
    entity(space, name) {
      const found = scan.entity(space, entityRef(name))
      if (found === undefined) throw unknownEntity(space, name)
      return detailsOf(found)
    },
    verify: (onProgress) => verifyDatabase(database, onProgress),
    close: () => closeReader(database),
  }
}

/** @throws MaintenanceError `name-invalid` */
export function entityRef(name: string): { readonly collection: string; readonly id: string } {
  const slash = name.indexOf('/')
  if (slash > 0 && slash < name.length - 1)
    return { collection: name.slice(0, slash), id: name.slice(slash + 1) }
  throw new MaintenanceError(
    'name-invalid',
    `"${name}" is no name of an entity; those look like cards/c1.`,
  )
}

export function unknownSpace(space: string): MaintenanceError {
  return new MaintenanceError(
    'space-unknown',
    `There is no space "${space}" in that data. \`tidemark inspect\` lists the spaces.`,
  )
}

export function unknownEntity(space: string, name: string): MaintenanceError {
  return new MaintenanceError(
    'entity-unknown',
    `There is no entity ${name} in the space "${space}". \`tidemark inspect\` with that space lists its entities.`,
  )
}

function overviewOf(database: SqliteDatabase): Overview {
  const scan = scanDatabase(database)
  const counts = database
    .prepare(
      `SELECT space, count(*), coalesce(sum(snapshot_bytes + log_bytes), 0) FROM entities GROUP BY space`,
    )
    .raw()
    .all() as [string, number, number][]
  const bySpace = new Map(counts.map(([space, entities, bytes]) => [space, { entities, bytes }]))
  return {
    epoch: readMeta(database, 'epoch') ?? '',
    schema: Number(readPragma(database, 'user_version')),
    bytes: sizeOf(database),
    entities: scan.count('entities'),
    operations: scan.count('operations'),
    spaces: [...scan.spaces()].map((space) => ({
      ...space,
      ...(bySpace.get(space.space) ?? { entities: 0, bytes: 0 }),
    })),
  }
}

function nameOf({ space, ref }: ScannedEntity): string {
  return `${space}/${ref.collection}/${ref.id}`
}

function summaryOf(entity: ScannedEntity): EntitySummary | DamagedSummary {
  if (entity.problem !== undefined) return { entity: nameOf(entity), problem: entity.problem }
  const { head } = entity
  return {
    entity: nameOf(entity),
    generation: head.generation,
    confirmedSequence: head.sequence,
    sequence: head.versionSequence,
    lastModified: head.lastModified,
    snapshotBytes: head.snapshotBytes,
    logBytes: head.logBytes,
    logLength: head.logLength,
    clients: head.clients.size,
  }
}

function detailsOf(entity: ScannedEntity): EntityDetails | DamagedSummary {
  const summary = summaryOf(entity)
  if (summary.problem !== undefined || entity.problem !== undefined)
    return summary as DamagedSummary
  const owners = [...entity.head.clients].map(([client, { user, replica, clock }]) => ({
    client,
    user,
    replica,
    clock,
  }))
  return { ...summary, plain: plainEntity(entity.ref, entity.head, entity.log), owners }
}
