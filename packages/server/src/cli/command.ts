import { isTidemarkError } from '@tidemark/core'
import { InvalidArgumentError } from 'commander'
import { RelayStartError } from '../errors.js'
import { MaintenanceError } from '../maintenance/index.js'
import { printError } from './output.js'

/** What a command ends with. docs/operations.md explains them. */
export const EXIT = {
  done: 0,
  /** Refused or failed; the message ends with a code in brackets. */
  failed: 1,
  /** Done, and something was found that a person should look at. */
  findings: 2,
} as const

export const EXIT_CODES_HELP = `
Exit codes: 0 done; 1 refused or failed, with a code in brackets; 2 done, with findings.
`

/** The end of a command's help. */
export function examples(...lines: readonly string[]): string {
  const shown = lines.map((line) => `  $ ${line}`).join('\n')
  return `\nExamples:\n${shown}\n${EXIT_CODES_HELP}`
}

/** Says what is known to go wrong in one line; everything else is a bug and keeps its stack. */
function reportError(error: unknown): void {
  process.exitCode = EXIT.failed
  if (
    error instanceof RelayStartError ||
    error instanceof MaintenanceError ||
    isTidemarkError(error)
  ) {
    printError(`${error.message} [${error.code}]\n`)
    return
  }
  if (isSystemError(error)) {
    printError(`${error.message} [${error.code}]\n`)
    return
  }
  throw error
}

/** A command's action whose errors are reported. */
export function action<Arguments extends readonly unknown[]>(
  run: (...values: Arguments) => void | Promise<void>,
): (...values: Arguments) => Promise<void> {
  return async (...values) => {
    try {
      await run(...values)
    } catch (error) {
      reportError(error)
    }
  }
}

/** A file that is not there, a disk that is full: what the operating system says is clear enough. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

export function toCount(value: string): number {
  const count = Number(value)
  if (Number.isInteger(count) && count > 0) return count
  throw new InvalidArgumentError('A number from 1.')
}
