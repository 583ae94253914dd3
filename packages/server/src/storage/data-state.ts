import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { RelayStartError } from '../errors.js'
import { syncDirectory } from './data-directory.js'
import { hasAllPages, isLaterSalt, logPathOf, readLog, saltOfLog } from './sqlite-log.js'

/**
 * What must be in a data directory, kept beside the database (`relay.state`). SQLite takes a database whose log is gone for
 * one that was closed, a log that stands beside it for its own, and a missing database for a new one: each would lose
 * what was acknowledged, without a word.
 *
 * - `opening`: the log is being made anew; anything goes.
 * - `open`: a relay runs, or was killed. The log has this salt or a later one.
 * - `closed`: everything is in the database; the log may be gone.
 */
export interface DataState {
  opening(): void
  /** Notes the log that is there now. */
  open(): void
  closed(): void
}

type Phase = 'opening' | 'open' | 'closed'

interface Noted {
  readonly phase: Phase
  readonly salt: number
}

const FORMAT = /^tidemark (opening|open|closed) ([0-9a-f]{8}) *\n$/
/** Always as long, within one sector: it is written over in place, also on a disk that is full. */
const LENGTH = 32

/**
 * @param database the path of the database, which nobody has opened yet
 * @throws RelayStartError `data-incomplete` when what was noted is not there
 */
export function checkDataState(database: string): DataState {
  const path = join(dirname(database), 'relay.state')
  let noted = readState(path)
  if (noted !== undefined) requireNoted(database, path, noted)

  function note(phase: Phase, salt: number): void {
    noted = { phase, salt }
    const isNew = !existsSync(path)
    const file = openSync(path, isNew ? 'wx' : 'r+')
    try {
      const hex = salt.toString(16).padStart(8, '0')
      const line = Buffer.from(`${`tidemark ${phase} ${hex}`.padEnd(LENGTH - 1)}\n`)
      writeSync(file, line, 0, LENGTH, 0)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (isNew) syncDirectory(dirname(path))
  }

  const closed = (): void => note('closed', noted?.salt ?? 0)

  return {
    opening: () => note('opening', 0),
    open() {
      // Before it is noted: noting may fail halfway.
      atExit.add(closed)
      note('open', saltOfLog(logPathOf(database)) ?? 0)
    },
    closed() {
      atExit.delete(closed)
      closed()
    },
  }
}

/** Who ends the process without closing has SQLite close the database, which takes the log away. */
const atExit = new Set<() => void>()

process.on('exit', () => {
  for (const note of atExit) {
    try {
      note()
    } catch {
      // The next start asks for the log, then.
    }
  }
})

function readState(path: string): Noted | undefined {
  if (!existsSync(path)) return undefined
  const [, phase, salt = ''] = FORMAT.exec(readFileSync(path, 'latin1')) ?? []
  return phase === undefined
    ? undefined
    : { phase: phase as Phase, salt: Number.parseInt(salt, 16) }
}

function requireNoted(database: string, state: string, { phase, salt }: Noted): void {
  if (phase === 'opening') return
  const log = logPathOf(database)
  const remedy =
    'Put back what belongs there, from the same moment, or restore a backup. To go on with what is there, and lose what ' +
    `was acknowledged since, delete ${state}.`
  if ((statSync(database, { throwIfNoEntry: false })?.size ?? 0) === 0)
    throw incomplete(
      `${database} is missing or empty, although a relay has kept its data there. ${remedy}`,
    )
  if (phase === 'open' && !existsSync(log)) {
    throw incomplete(
      `${log} is missing: the relay was killed, and its last commits are in there, unless another program has opened ` +
        `the database since and put them into it. ${remedy}`,
    )
  }
  const content = readLog(log)
  if (content === undefined) return
  // Once it is closed, other programs may have written to it, each time with a log of their own.
  if (phase === 'open' && !isLaterSalt(content.salt, salt))
    throw incomplete(`${log} belongs to another database. ${remedy}`)
  if (!hasAllPages(database, content)) throw incomplete(`${database} was cut short. ${remedy}`)
}

function incomplete(message: string): RelayStartError {
  return new RelayStartError('data-incomplete', message)
}
