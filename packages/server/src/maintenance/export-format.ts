import { createHash } from 'node:crypto'
import { compactUpdate, mergeUpdates } from '@tidemark/core/entity'
import * as z from 'zod'
import {
  decodeClientBindings,
  type EntityHead,
  type EntityRef,
  encodeClientBindings,
} from '../storage/index.js'

/**
 * Lines of JSON: a header, one entity each, a footer with their number and the SHA-256 of all lines before. Bytes are in
 * base64. Versioned apart from the database, so that it is a way from one version of that to another.
 */
const FORMAT = 1

export interface ExportAbout {
  readonly space: string
  readonly epoch: string
  readonly head: number
  readonly takenAt: string
}

/** An entity out of an export. */
export interface ExportedEntity {
  readonly ref: EntityRef
  readonly head: Omit<EntityHead, 'snapshotBytes' | 'logBytes' | 'logLength'>
  readonly update: Uint8Array
}

export type ExportPart =
  | { readonly kind: 'header'; readonly about: ExportAbout }
  | { readonly kind: 'entity'; readonly entity: ExportedEntity }
  | { readonly kind: 'footer'; readonly entities: number; readonly sha256: string }

const base64 = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')))
const sequence = z.number().int().min(0)

const headerLine = z.strictObject({
  tidemark: z.literal('export'),
  format: z.literal(FORMAT),
  space: z.string(),
  epoch: z.string(),
  head: sequence,
  takenAt: z.string(),
})

const entityLine = z.strictObject({
  collection: z.string(),
  id: z.string(),
  generation: z.string(),
  confirmedSequence: sequence,
  sequence,
  lastModified: sequence,
  tombstoneAt: z.number().int().nullable(),
  clients: base64,
  update: base64,
})

const footerLine = z.strictObject({ entities: sequence, sha256: z.string().length(64) })

export function exportHeader(about: ExportAbout): string {
  return line({ tidemark: 'export', format: FORMAT, ...about })
}

export function exportLine(ref: EntityRef, head: EntityHead, log: readonly Uint8Array[]): string {
  return line({
    collection: ref.collection,
    id: ref.id,
    generation: head.generation,
    confirmedSequence: head.sequence,
    sequence: head.versionSequence,
    lastModified: head.lastModified,
    tombstoneAt: head.tombstoneAt,
    clients: Buffer.from(encodeClientBindings(head.clients)).toString('base64'),
    update: Buffer.from(compactUpdate(mergeUpdates(log))).toString('base64'),
  })
}

export function exportFooter(entities: number, sha256: string): string {
  return line({ entities, sha256 })
}

/** @throws what is wrong with the line, of any kind */
export function parseExportLine(text: string): ExportPart {
  const value: unknown = JSON.parse(text)
  if (typeof value === 'object' && value !== null && 'tidemark' in value) {
    const { space, epoch, head, takenAt } = headerLine.parse(value)
    return { kind: 'header', about: { space, epoch, head, takenAt } }
  }
  if (typeof value === 'object' && value !== null && 'sha256' in value)
    return { kind: 'footer', ...footerLine.parse(value) }
  const { collection, id, update, clients, ...rest } = entityLine.parse(value)
  return {
    kind: 'entity',
    entity: {
      ref: { collection, id },
      head: {
        generation: rest.generation,
        sequence: rest.confirmedSequence,
        versionSequence: rest.sequence,
        lastModified: rest.lastModified,
        tombstoneAt: rest.tombstoneAt,
        clients: decodeClientBindings(clients),
      },
      update,
    },
  }
}

/** What of an entity must be the same for two of them to be one. */
export function fingerprint(update: Uint8Array, generation: string): string {
  return createHash('sha256').update(generation).update(compactUpdate(update)).digest('hex')
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}
