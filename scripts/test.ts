// Runs all tests: makes sure of a browser, builds what the end-to-end tests start, runs vitest, and prints
// `N passed, N failed` as the last line. Arguments go to vitest: `pnpm test packages/core`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureChromium } from './ensure-chromium.js'
import { build, run } from './run.js'

interface Report {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    return { numPassedTests: 0, testResults: [] } // vitest did not get as far as writing it
  }
}

/** Failed tests, and files that failed before or beside their tests. */
function countFailures({ testResults }: Report): number {
  let failed = 0
  for (const { status, assertionResults } of testResults) {
    const inside = assertionResults.filter((test) => test.status === 'failed').length
    failed += status === 'failed' ? Math.max(inside, 1) : inside
  }
  return failed
}

try {
  console.log(`Browser: ${ensureChromium()}`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
build()

const folder = mkdtempSync(join(tmpdir(), 'tidemark-test-'))
const reportFile = join(folder, 'report.json')
const code = run('vitest', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${reportFile}`,
  ...process.argv.slice(2).filter((argument) => argument !== '--'),
])
const report = readReport(reportFile)
rmSync(folder, { recursive: true, force: true })

const passed = report.numPassedTests
// A run that fails without a failed test (an unhandled rejection, a crash, no tests at all) has failed all the same.
const failed = Math.max(countFailures(report), code !== 0 || passed === 0 ? 1 : 0)

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
