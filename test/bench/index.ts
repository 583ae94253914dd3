// Compares Tidemark with its peers and writes what it finds into docs/benchmarks.md. `pnpm bench` runs everything,
// `pnpm bench load size` these two, `pnpm bench relay` those of the relay; `pnpm bench:full` takes longer. Nothing here decides whether something is fast enough.
import { execFileSync } from 'node:child_process'
import { inRepository } from '../support/repository.js'
import { ack } from './ack.js'
import { durable } from './durable.js'
import { insert } from './insert.js'
import { load } from './load.js'
import { memory } from './memory.js'
import { peers } from './peers.js'
import { relay } from './relay/index.js'
import { aimsOf, type Benchmark, circumstances, tableOf, writeReport } from './report.js'
import { seen } from './seen.js'
import { size } from './size.js'
import { createSurroundings } from './surroundings.js'
import { typing } from './typing.js'
import { update } from './update.js'

const benchmarks: Readonly<Record<string, Benchmark>> = {
  update,
  insert,
  peers,
  memory,
  typing,
  load,
  durable,
  ack,
  seen,
  size,
  ...relay,
}
/** Names for several. */
const groups: Readonly<Record<string, readonly string[]>> = { relay: Object.keys(relay) }
const FULL = '--full'

const options = process.argv.slice(2)
const asked = options
  .filter((argument) => argument !== '--' && argument !== FULL)
  .flatMap((name) => groups[name] ?? [name])
const unknown = asked.filter((name) => !Object.hasOwn(benchmarks, name))
if (unknown.length > 0) {
  console.error(
    `There is no benchmark ${unknown.join(', ')}. There are: ${[...Object.keys(benchmarks), ...Object.keys(groups)].join(', ')}.`,
  )
  process.exit(1)
}

// What is measured is what would be published.
execFileSync(process.execPath, [inRepository('node_modules/typescript/bin/tsc'), '-b'], {
  cwd: inRepository('.'),
  stdio: 'inherit',
})

const measured = circumstances(new Date())
const surroundings = createSurroundings(options.includes(FULL))
try {
  for (const [name, benchmark] of Object.entries(benchmarks)) {
    if (asked.length > 0 && !asked.includes(name)) continue
    const start = performance.now()
    const report = await benchmark(surroundings)
    const seconds = Math.round((performance.now() - start) / 1_000)
    console.log(`\n${name} (${seconds} s)\n\n${tableOf(report)}\n\n${aimsOf(report)}`)
    writeReport(name, report, measured)
  }
} finally {
  await surroundings.dispose()
}
