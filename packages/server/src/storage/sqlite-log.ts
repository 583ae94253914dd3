import { closeSync, fstatSync, fsyncSync, openSync, readSync, statSync, writeSync } from 'node:fs'

/**
 * SQLite's write-ahead log as a file, before SQLite itself looks at it (https://www.sqlite.org/fileformat2.html#walformat):
 * 32 bytes of header, then frames of 24 bytes and a page.
 */
export interface LogContent {
  /** "A random integer incremented with each checkpoint": tells logs of different databases apart. */
  readonly salt: number
  /** Pages that the database has with what is committed in the log; undefined when nothing is. */
  readonly pages: number | undefined
  /** The pages of which the log has a copy that is committed. */
  readonly copied: ReadonlySet<number>
  readonly pageSize: number
}

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const MAGIC = 0x377f0682
/** Set in the magic number when checksums are over big-endian words. */
const BIG_ENDIAN = 1
const SALT_OFFSET = 16
const CHUNK_BYTES = 1024 * 1024
/** More checkpoints than that one run of a relay doesn't make: each has a thousand pages. */
const SALT_WINDOW = 2 ** 24

export function logPathOf(database: string): string {
  return `${database}-wal`
}

/** Whether a log with this salt can have followed on one with the other. */
export function isLaterSalt(salt: number, first: number): boolean {
  return (salt - first) >>> 0 < SALT_WINDOW
}

/** Undefined when there is no log, or not all of its header. */
export function saltOfLog(path: string): number | undefined {
  return withFile(path, 'r', (file) => readHeader(file)?.readUInt32BE(SALT_OFFSET))
}

/** Undefined when there is no log, or none whose header was written whole: nothing is in it then. */
export function readLog(path: string): LogContent | undefined {
  return withFile(path, 'r', (file) => {
    const header = readHeader(file)
    if (header === undefined) return undefined
    const magic = header.readUInt32BE(0)
    if ((magic & ~BIG_ENDIAN) >>> 0 !== MAGIC) return undefined
    const sum = createChecksum((magic & BIG_ENDIAN) !== 0)
    sum.add(header.subarray(0, HEADER_BYTES - 8))
    if (!sum.matches(header, HEADER_BYTES - 8)) return undefined
    const salts = header.subarray(SALT_OFFSET, SALT_OFFSET + 8)
    const pageSize = header.readUInt32BE(8)
    const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageSize)
    const copied = new Set<number>()
    let pages: number | undefined
    let uncommitted: number[] = []
    for (let at = HEADER_BYTES; readSync(file, frame, 0, frame.length, at) === frame.length; ) {
      at += frame.length
      sum.add(frame.subarray(0, 8))
      sum.add(frame.subarray(FRAME_HEADER_BYTES))
      if (!frame.subarray(8, 16).equals(salts) || !sum.matches(frame, 16)) break
      uncommitted.push(frame.readUInt32BE(0))
      const size = frame.readUInt32BE(4)
      if (size === 0) continue
      pages = size
      for (const page of uncommitted) copied.add(page)
      uncommitted = []
    }
    return { salt: salts.readUInt32BE(0), pages, copied, pageSize }
  })
}

/**
 * Writes what the log holds once more, in its place, and syncs it. After a sync that failed the operating system may take
 * for written what is not on the disk, also in front of another process: it is read back, later syncs succeed, and a
 * power cut takes it away, under a database that a checkpoint was just changing. Bytes that were written again are what
 * the next sync is about [L18].
 */
export function rewriteLog(path: string): void {
  withFile(path, 'r+', (file) => {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(1, fstatSync(file).size)))
    for (let at = 0; ; ) {
      const length = readSync(file, chunk, 0, chunk.length, at)
      if (length === 0) break
      for (let written = 0; written < length; )
        written += writeSync(file, chunk, written, length - written, at + written)
      at += length
    }
    fsyncSync(file)
  })
}

function readHeader(file: number): Buffer | undefined {
  const header = Buffer.alloc(HEADER_BYTES)
  return readSync(file, header, 0, HEADER_BYTES, 0) === HEADER_BYTES ? header : undefined
}

/** Whether the database file has every page that is not in the log. */
export function hasAllPages(database: string, { pages, copied, pageSize }: LogContent): boolean {
  if (pages === undefined) return true
  let needed = pages
  // SQLite never writes the page that holds the byte for its locks.
  const lockPage = 0x4000_0000 / pageSize + 1
  while (needed > 0 && (copied.has(needed) || needed === lockPage)) needed -= 1
  return statSync(database).size >= needed * pageSize
}

/** The log's checksum: two sums over words of 32 bits that go on from frame to frame. */
function createChecksum(bigEndian: boolean): {
  add(bytes: Buffer): void
  matches(bytes: Buffer, offset: number): boolean
} {
  let first = 0
  let second = 0
  return {
    add(bytes) {
      for (let at = 0; at < bytes.length; at += 8) {
        const [one, two] = bigEndian
          ? [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
          : [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)]
        first = (first + one + second) >>> 0
        second = (second + two + first) >>> 0
      }
    },
    matches: (bytes, offset) =>
      bytes.readUInt32BE(offset) === first && bytes.readUInt32BE(offset + 4) === second,
  }
}

function withFile<T>(path: string, flags: 'r' | 'r+', use: (file: number) => T): T | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
  const file = openSync(path, flags)
  try {
    return use(file)
  } finally {
    closeSync(file)
  }
}
