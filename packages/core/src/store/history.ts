import type { RecordedPart } from '../operations/index.js'
import type { MovedText } from '../replica/index.js'

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
  /** Where text stands that came back, for the steps before it. */
  readonly moves: readonly MovedText[]
  moved(moves: readonly MovedText[]): void
  /** An operation was rejected or rolled back: there is nothing to take back. */
  forget(id: string): void
}

/** More steps than anybody goes back one by one. */
const MAX_STEPS = 100
const MAX_MOVES = 1000

export function createHistory(): History {
  let undos: HistoryEntry[] = []
  let redos: HistoryEntry[] = []
  let known: readonly MovedText[] = []

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
    get moves() {
      return known
    },
    moved(moves) {
      known = [...known, ...moves].slice(-MAX_MOVES)
    },
    forget(id) {
      undos = undos.filter((entry) => entry.id !== id)
      redos = redos.filter((entry) => entry.id !== id)
    },
  }
}
