import type { Bookmark } from './bookmark.js'
import { createNetscapeReader, type NetscapeFile } from './parse-netscape.js'
import { type ImportPlan, planImport } from './plan-import.js'

/** How far an import has come. Counts only grow. */
export interface ImportProgress {
  readonly phase: ImportPhase
  readonly fileName: string
  /** Of the file, from 0 to 1. */
  readonly read: number
  /** Bookmarks found in the file so far. */
  readonly found: number
  /** How many of them are new, and so what the next three count up to. */
  readonly total: number
  readonly added: number
  /** On this device's disk. */
  readonly saved: number
  /** Acknowledged by the relay. Goes on counting when the import is done. */
  readonly synced: number
  /** Could not be saved; `problem` says why the first one could not. */
  readonly failed: number
  readonly existing: number
  readonly repeated: number
  readonly skipped: ReadonlyMap<string, number>
  readonly truncated: boolean
  /** In words for a person; set when anything failed. */
  readonly problem: string | undefined
}

type ImportPhase = 'reading' | 'adding' | 'saving' | 'done' | 'cancelled' | 'failed'

/** The part of a store that an import needs. */
interface ImportTarget {
  /** What is here already. */
  present(): Iterable<Pick<Bookmark, 'url' | 'title' | 'tags'>>
  insert(bookmark: Bookmark): { when(stage: 'saved' | 'synced'): Promise<void> }
}

export interface ImportOptions {
  readonly file: Pick<File, 'name' | 'size' | 'stream'>
  readonly target: ImportTarget
  /** Stops adding; what was added stays. */
  readonly signal: AbortSignal
  /** Milliseconds, from any start. */
  readonly now: () => number
  /** Lets the page draw and react. */
  readonly pause: () => Promise<void>
  /** Called as often as something changes; show it at the pace of frames. */
  readonly onProgress: (progress: ImportProgress) => void
}

/** Half of a frame: the other half is for drawing. */
const SLICE = 8

/** Imports a bookmark file without ever holding the page for longer than `SLICE`. Never rejects. */
export async function runImport(options: ImportOptions): Promise<void> {
  const { file, target, signal, now, pause } = options
  let progress: ImportProgress = {
    phase: 'reading',
    fileName: file.name,
    read: 0,
    found: 0,
    total: 0,
    added: 0,
    saved: 0,
    synced: 0,
    failed: 0,
    existing: 0,
    repeated: 0,
    skipped: new Map(),
    truncated: false,
    problem: undefined,
  }
  const update = (change: Partial<ImportProgress>) => {
    progress = { ...progress, ...change }
    options.onProgress(progress)
  }
  const follow = async (bookmark: Bookmark): Promise<void> => {
    try {
      const operation = target.insert(bookmark)
      update({ added: progress.added + 1 })
      operation.when('synced').then(
        () => update({ synced: progress.synced + 1 }),
        () => {}, // What the relay refuses is shown with the other operations that failed.
      )
      await operation.when('saved')
      update({ saved: progress.saved + 1 })
    } catch (error) {
      update({ failed: progress.failed + 1, problem: progress.problem ?? words(error) })
    }
  }

  try {
    update({})
    const { skipped, truncated, bookmarks } = await readFile(options, update)
    const { additions, ...plan } = await planned(bookmarks, target, pause)
    update({ phase: 'adding', total: additions.length, skipped, truncated, ...plan })

    const saving: Promise<void>[] = []
    let sliceEnd = now() + SLICE
    for (const bookmark of additions) {
      if (now() >= sliceEnd) {
        await pause()
        sliceEnd = now() + SLICE
      }
      if (signal.aborted) break
      saving.push(follow(bookmark))
    }
    const cancelled = signal.aborted
    update({ phase: 'saving' })
    await Promise.all(saving)
    const allFailed = progress.failed > 0 && progress.saved === 0
    update({ phase: allFailed ? 'failed' : cancelled ? 'cancelled' : 'done' })
  } catch (error) {
    if (signal.aborted) update({ phase: 'cancelled' })
    else update({ phase: 'failed', problem: words(error) })
  }
}

async function readFile(
  { file, signal, now, pause }: ImportOptions,
  update: (change: Partial<ImportProgress>) => void,
): Promise<NetscapeFile> {
  const reader = createNetscapeReader()
  const decoder = new TextDecoder()
  let bytes = 0
  let sliceEnd = now() + SLICE
  const pieces = file.stream().getReader()
  for (;;) {
    const { value, done } = await pieces.read()
    if (done) break
    for (let at = 0; at < value.length; at += PIECE) {
      signal.throwIfAborted()
      reader.write(decoder.decode(value.subarray(at, at + PIECE), { stream: true }))
      if (now() < sliceEnd) continue
      update({ read: (bytes + at) / file.size, found: reader.count })
      await pause()
      sliceEnd = now() + SLICE
    }
    bytes += value.length
  }
  reader.write(decoder.decode())
  const result = reader.end()
  update({ read: 1, found: result.bookmarks.length })
  return result
}

/** Bytes that are parsed in about a millisecond. */
const PIECE = 8 * 1024

async function planned(
  bookmarks: readonly Bookmark[],
  target: ImportTarget,
  pause: () => Promise<void>,
): Promise<ImportPlan> {
  await pause()
  const plan = planImport(bookmarks, target.present())
  await pause()
  return plan
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
