import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { findChromium } from '../support/find-chromium.js'
import { inRepository } from '../support/repository.js'
import type { Surroundings } from './surroundings.js'

/** What `pnpm bench <name>` runs. */
export type Benchmark = (surroundings: Surroundings) => Promise<Report>

/** What a benchmark found out. */
export interface Report {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly aims: readonly Aim[]
  /** The versions of what it was compared with. */
  readonly peers?: string
}

/** A figure that was set before there was any code. It decides nothing: a run never fails because of it. */
export interface Aim {
  readonly text: string
  readonly met: boolean
  /** What was measured instead. */
  readonly seen: string
}

/** An aim that a figure doesn't exceed something. */
export function within(what: string, value: number, limit: number, unit: string): Aim {
  return {
    text: `${what}, at most ${format(limit)} ${unit}`,
    met: value <= limit,
    seen: `${format(value)} ${unit}`,
  }
}

/** An aim that a figure reaches something. */
export function atLeast(what: string, value: number, wanted: number): Aim {
  return {
    text: `${what}, at least ${format(wanted)}`,
    met: value >= wanted,
    seen: format(value),
  }
}

/** An aim that something is so many times as good as a peer. */
export function times(what: string, ratio: number, wanted: number): Aim {
  return {
    text: `${what}, at least ${format(wanted)} ×`,
    met: ratio >= wanted,
    seen: `${ratio.toFixed(2)} ×`,
  }
}

/** Three digits or more, as far as they say something. */
export function format(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0
  return value.toLocaleString('en', {
    maximumFractionDigits: digits,
    minimumFractionDigits: Number.isInteger(value) ? 0 : digits,
  })
}

const DOCUMENT = 'docs/benchmarks.md'
/** The block that collects the missed aims of all tables. */
const MISSED = 'missed'

/** A table as Markdown, with the columns in line. */
export function tableOf({ head, rows }: Pick<Report, 'head' | 'rows'>): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => alignCell(cells[column] ?? '', width, column)).join(' | ')} |`
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  )
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

function alignCell(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

export function aimsOf({ aims }: Pick<Report, 'aims'>): string {
  return aims
    .map(({ text, met, seen }) => `- Aim: ${text}. **${met ? 'Met' : 'Not met'}**: ${seen}.`)
    .join('\n')
}

/** Where and when something was measured. */
export function circumstances(now: Date): string {
  const chromium = execFileSync(findChromium(), ['--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const version = /\d+(\.\d+)*/.exec(chromium)?.[0] ?? 'of unknown version'
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${now.toISOString().slice(0, 10)}; ${availableParallelism()} cores, ${memory} GiB of memory, Node ${process.versions.node}, Chromium ${version}`
}

/** Puts a new table into the document. Its prose, and the tables of other benchmarks, stay. */
export function writeReport(name: string, report: Report, measured: string): void {
  const path = inRepository(DOCUMENT)
  const content = [
    tableOf(report),
    aimsOf(report),
    `Measured ${[measured, report.peers ?? []].flat().join('; ')}.`,
  ]
  let document = readFileSync(path, 'utf8')
  document = replaceBlock(document, name, content.filter((part) => part !== '').join('\n\n'))
  document = replaceBlock(document, MISSED, '')
  const missed = document.match(/^- Aim: .* \*\*Not met\*\*: .*$/gm) ?? ['None.']
  writeFileSync(path, replaceBlock(document, MISSED, missed.join('\n')))
}

function replaceBlock(document: string, name: string, content: string): string {
  const start = `<!-- ${name}: written by \`pnpm bench\` -->`
  const end = `<!-- end of ${name} -->`
  const from = document.indexOf(start)
  const to = document.indexOf(end)
  if (from < 0 || to < from) {
    throw new Error(`${DOCUMENT} has no place for "${name}": it needs "${start}" and "${end}".`)
  }
  return `${document.slice(0, from)}${start}\n\n${content}\n\n${document.slice(to)}`
}
