import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { DATABASE_FILE } from '../storage/index.js'
import { MaintenanceError } from './errors.js'

export const MANIFEST_FILE = 'manifest.json'

const MANIFEST_FORMAT = 1

/** What a backup says about itself. */
export interface Manifest {
  readonly format: typeof MANIFEST_FORMAT
  /** The version of the relay that wrote it, and of the database's tables. */
  readonly relay: string
  readonly schema: number
  readonly epoch: string
  /** Everything that was acknowledged before is in it. ISO 8601, UTC. */
  readonly takenAt: string
  readonly database: { readonly bytes: number; readonly sha256: string }
  readonly entities: number
  readonly operations: number
  /** By space, its last sequence. */
  readonly heads: Readonly<Record<string, number>>
}

const manifestSchema: z.ZodType<Manifest> = z.object({
  format: z.literal(MANIFEST_FORMAT),
  relay: z.string(),
  schema: z.number().int(),
  epoch: z.string().min(1),
  takenAt: z.iso.datetime(),
  database: z.object({ bytes: z.number().int(), sha256: z.string().length(64) }),
  entities: z.number().int(),
  operations: z.number().int(),
  heads: z.record(z.string(), z.number().int()),
})

export function newManifest(facts: Omit<Manifest, 'format'>): Manifest {
  return { format: MANIFEST_FORMAT, ...facts }
}

/** @throws MaintenanceError `backup-invalid` */
export function readManifest(backup: string): Manifest {
  const path = join(backup, MANIFEST_FILE)
  if (!existsSync(path)) {
    throw new MaintenanceError(
      'backup-invalid',
      `${backup} is no backup: it has no ${MANIFEST_FILE}. Name one of the directories that \`tidemark backup\` made.`,
    )
  }
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new MaintenanceError(
      'backup-invalid',
      `${path} can't be understood: it is damaged, or of a newer version. Use another backup, or the version that made it.`,
      { cause },
    )
  }
}

const CHUNK_BYTES = 1024 * 1024

/** SHA-256 of a file in hexadecimal; `onChunk` gets what was read. */
export function hashFile(path: string, onChunk: (chunk: Uint8Array) => void = () => {}): string {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  const descriptor = openSync(path, 'r')
  try {
    for (;;) {
      const length = readSync(descriptor, chunk)
      if (length === 0) return hash.digest('hex')
      const part = chunk.subarray(0, length)
      hash.update(part)
      onChunk(part)
    }
  } finally {
    closeSync(descriptor)
  }
}

/** @throws MaintenanceError `backup-invalid` when a file isn't what the manifest says */
export function requireMatch(
  backup: string,
  manifest: Manifest,
  actual: { readonly bytes: number; readonly sha256: string },
): void {
  const { bytes, sha256 } = manifest.database
  if (bytes === actual.bytes && sha256 === actual.sha256) return
  throw new MaintenanceError(
    'backup-invalid',
    `${join(backup, DATABASE_FILE)} is not what its manifest says (SHA-256 ${actual.sha256}, ${actual.bytes} bytes): ` +
      'it is damaged or was changed. Use another backup.',
  )
}

export function bytesOf(path: string): number {
  return statSync(path).size
}
