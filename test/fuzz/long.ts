import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { attack } from './attack.js'

/**
 * The long suite: hostile frames by the ten thousand against a relay in a process of its own. Prints what it did for each
 * seed; ends with an error at the first that breaks something. `pnpm test:fuzz --seed 4711 --frames 10000 --rounds 1` shows
 * the same frames again; `--report file.json` writes the numbers down for others.
 */
const { values } = parseArgs({
  // pnpm hands a separator through.
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    frames: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '10' },
    report: { type: 'string' },
  },
})
const [first, frames, rounds] = [values.seed, values.frames, values.rounds].map(Number) as [
  number,
  number,
  number,
]
const reports = []
for (let seed = first; seed < first + rounds; seed++) {
  const report = await attack({ seed, frames })
  reports.push(report)
  console.log(JSON.stringify(report))
  if (report.violations.length > 0) {
    process.exitCode = 1
    break
  }
}
if (values.report !== undefined)
  writeFileSync(values.report, `${JSON.stringify(reports, null, 2)}\n`)
