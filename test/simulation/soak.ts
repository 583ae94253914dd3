import { parseArgs } from 'node:util'
import { simulate } from './simulation.js'

/**
 * The long suite: as many seeds as one likes, every second one with wrong clocks. Ends with the first violation and names its
 * seed, which shows the same course again: `pnpm test:soak --from 4711 --to 4711`.
 */
const { values } = parseArgs({
  // pnpm hands a separator through.
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    from: { type: 'string', default: '1' },
    to: { type: 'string', default: '10000' },
    steps: { type: 'string', default: '120' },
    devices: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '30' },
    restores: { type: 'boolean', default: false },
  },
})
const [from, to, steps, devices, minutes] = [
  values.from,
  values.to,
  values.steps,
  values.devices,
  values.minutes,
].map(Number) as [number, number, number, number, number]

const { restores } = values
const deadline = Date.now() + minutes * 60_000
const totals = new Map<string, number>()
let seed = from
for (; seed <= to && Date.now() < deadline; seed++) {
  const { counts } = await simulate({
    seed,
    steps,
    devices,
    wrongClocks: !restores && seed % 2 === 0,
    restores,
  })
  for (const [what, count] of Object.entries(counts))
    totals.set(what, (totals.get(what) ?? 0) + count)
  if ((seed - from + 1) % 500 === 0) console.log(`seeds ${from} to ${seed}: no violation`)
}
console.log(
  `${seed - from} seeds from ${from} on, ${steps} steps, ${devices} devices: no violation`,
)
for (const [what, count] of [...totals].sort(([a], [b]) => (a < b ? -1 : 1)))
  console.log(`  ${what}: ${count}`)
