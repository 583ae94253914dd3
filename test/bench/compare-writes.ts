import { inTurns, median, medianRatio, ROUNDS } from './measure.js'
import { COUNT } from './programs/items.js'
import type { PerTask, WriteTimes } from './programs/writes.js'
import { type Aim, format, type Report } from './report.js'

/** One way to write all items, beside the same way with raw Yjs. */
export interface WriteComparison {
  readonly where: string
  tidemark(options: PerTask): Promise<WriteTimes>
  yjs(options: PerTask): Promise<WriteTimes>
}

const TASKS = [
  { label: 'in one task', perTask: COUNT },
  { label: '100 a task', perTask: 100 },
] as const

/** Databases that one comparison uses up where each run needs one of its own. */
export const RUNS: number = TASKS.length * (ROUNDS + 1)

/** Each writer in both ways: without a break, and as an import does that leaves the page alive. */
export async function compareWrites(
  comparisons: readonly WriteComparison[],
  aim: { readonly text: string; readonly perSecond: number },
): Promise<Report> {
  const rows: string[][] = []
  let slowest = { rate: Number.POSITIVE_INFINITY, name: '' }
  for (const { where, tidemark, yjs } of comparisons) {
    for (const { label, perTask } of TASKS) {
      const times = await inTurns({
        tidemark: () => tidemark({ perTask }),
        yjs: () => yjs({ perTask }),
      })
      const shown = times.tidemark.map((time) => perSecond(time.shown))
      const saved = times.tidemark.map((time) => perSecond(time.saved))
      const peer = times.yjs.map((time) => perSecond(time.shown))
      const name = `${where}, ${label}`
      const rate = median(shown)
      if (rate < slowest.rate) slowest = { rate, name }
      rows.push([
        name,
        format(rate),
        format(median(saved)),
        format(median(peer)),
        medianRatio(shown, peer).toFixed(2),
      ])
    }
  }
  return {
    head: ['a second', 'Tidemark', 'Tidemark, until saved', 'raw Yjs', 'Tidemark ÷ Yjs'],
    rows,
    aims: [aimOf(aim, slowest)],
  }
}

function aimOf(
  { text, perSecond: wanted }: { readonly text: string; readonly perSecond: number },
  { rate, name }: { readonly rate: number; readonly name: string },
): Aim {
  return { text, met: rate >= wanted, seen: `${format(rate)} (${name})` }
}

function perSecond(milliseconds: number): number {
  return (COUNT * 1_000) / milliseconds
}
