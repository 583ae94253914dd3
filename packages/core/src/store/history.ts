import type { RecordedPart } from '../operations/index.js'

/** One operation that can be undone, or redone. */
export interface HistoryEntry {
  /** The operation that it takes back. */
  readonly id: string
  readonly recorded: readonly RecordedPart[]
}

/** What this tab did, for undoing it step by step [L25]. */
export interface History {
  readonly canUndo: boolean
  readonly canRedo: boolean
  /** Something new was done: what was undone before can't be redone any more. */
  done(entry: HistoryEntry): void
  undone(entry: HistoryEntry): void
  redone(entry: HistoryEntry): void
  takeUndo(): HistoryEntry | undefined
  takeRedo(): HistoryEntry | undefined
  /** An operation was rejected or rolled back: there is nothing to take back. */
  forget(id: string): void
}

/** More steps than anybody goes back one by one. */
const MAX_STEPS = 100

export function createHistory(): History {
  let undos: HistoryEntry[] = []
  let redos: HistoryEntry[] = []

  function push(entries: HistoryEntry[], entry: HistoryEntry): void {
    entries.push(entry)
    if (entries.length > MAX_STEPS) entries.shift()
  }

  return {
    get canUndo() {
      return undos.length > 0
    },
    get canRedo() {
      return redos.length > 0
    },
    done(entry) {
      redos = []
      push(undos, entry)
    },
    undone: (entry) => push(redos, entry),
    redone: (entry) => push(undos, entry),
    takeUndo: () => undos.pop(),
    takeRedo: () => redos.pop(),
    forget(id) {
      undos = undos.filter((entry) => entry.id !== id)
      redos = redos.filter((entry) => entry.id !== id)
    },
  }
}
