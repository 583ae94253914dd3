import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DiskEvent } from './trace.js'

/** What of the writes that no sync has covered is on the disk after all, when the power goes. */
export type Survival =
  /** Nothing. */
  | { readonly kind: 'nothing' }
  /** Every sector and every change of a name by itself: they reach the disk in any order. */
  | { readonly kind: 'some'; readonly random: () => number }

/** A disk with a cache, and the names in one directory. */
export interface DiskModel {
  apply(event: DiskEvent): void
  /** Changes whenever something reaches the disk for good. */
  readonly settled: number
  /** Makes a directory as it is found after the power was cut now. */
  cutPower(survival: Survival, directory: string): void
}

type Change =
  | { readonly offset: number; readonly bytes: Uint8Array }
  /** Cut off, or filled up with zeros. */
  | { readonly size: number }

interface File {
  durable: Buffer
  /** What the cache has and the disk may not. */
  dirty: Change[]
}

const SECTOR_BYTES = 512

/**
 * - A sync of a file makes durable what was written to it before, a sync of the directory the names in it, and nothing else
 *   does either.
 * - A sync that fails makes nothing durable, and no later one does: the cache takes for written what it could not write, and
 *   goes on reading it back, until somebody writes it again.
 * - Without a sync each sector of 512 bytes and each change of a name may have reached the disk, or not.
 */
export function createDiskModel(): DiskModel {
  const cachedNames = new Map<string, File>()
  let durableNames = new Map<string, File>()
  let changedNames = new Set<string>()
  let settled = 0

  function fileOf(name: string): File {
    const file = cachedNames.get(name)
    if (file === undefined) throw new Error(`${name} is not there`)
    return file
  }

  function rename(name: string, file: File | undefined): void {
    if (file === undefined) cachedNames.delete(name)
    else cachedNames.set(name, file)
    changedNames.add(name)
  }

  function change(name: string, changes: readonly Change[]): void {
    fileOf(name).dirty.push(...changes)
  }

  return {
    apply(event) {
      switch (event.kind) {
        case 'create':
          if (!cachedNames.has(event.name))
            rename(event.name, { durable: Buffer.alloc(0), dirty: [] })
          return
        case 'write':
          return change(event.name, sectorsOf(event.offset, event.bytes))
        case 'truncate':
          return change(event.name, [{ size: event.size }])
        case 'unlink':
          return rename(event.name, undefined)
        case 'rename':
          rename(event.to, fileOf(event.name))
          return rename(event.name, undefined)
        case 'sync': {
          const file = fileOf(event.name)
          if (event.works) {
            file.durable = changed(file.durable, file.dirty)
            settled += 1
          }
          file.dirty = []
          return
        }
        case 'syncDirectory':
          if (!event.works) return
          durableNames = new Map(cachedNames)
          changedNames = new Set()
          settled += 1
          return
        case 'sent':
          return
      }
    },
    get settled() {
      return settled
    },
    cutPower(survival, directory) {
      const survives = (): boolean => survival.kind === 'some' && survival.random() < 0.5
      const names = new Map(durableNames)
      for (const name of changedNames) {
        if (!survives()) continue
        const file = cachedNames.get(name)
        if (file === undefined) names.delete(name)
        else names.set(name, file)
      }
      mkdirSync(directory, { recursive: true })
      for (const [name, { durable, dirty }] of names) {
        writeFileSync(join(directory, name), changed(durable, dirty.filter(survives)))
      }
    },
  }
}

function sectorsOf(offset: number, bytes: Uint8Array): Change[] {
  const changes: Change[] = []
  for (let start = 0; start < bytes.length; ) {
    const length = SECTOR_BYTES - ((offset + start) % SECTOR_BYTES)
    changes.push({ offset: offset + start, bytes: bytes.subarray(start, start + length) })
    start += length
  }
  return changes
}

function changed(content: Buffer, changes: readonly Change[]): Buffer {
  const ends = changes.map((change) =>
    'size' in change ? change.size : change.offset + change.bytes.length,
  )
  const next = Buffer.alloc(Math.max(content.length, ...ends))
  content.copy(next)
  let length = content.length
  for (const change of changes) {
    if ('size' in change) {
      next.fill(0, change.size)
      length = change.size
    } else {
      next.set(change.bytes, change.offset)
      length = Math.max(length, change.offset + change.bytes.length)
    }
  }
  return next.subarray(0, length)
}
