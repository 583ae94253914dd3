import { readFileSync } from 'node:fs'
import { inRepository } from '../../support/repository.js'
import { inTurns, median, medianRatio } from '../measure.js'
import type { DialectName } from '../programs/relay/dialect.js'
import { format, type Report } from '../report.js'
import type { Surroundings } from '../surroundings.js'
import { type Server, startServer } from './servers.js'

export type Results<T> = Readonly<Record<DialectName, readonly T[]>>

const names: readonly DialectName[] = ['tidemark', 'hocuspocus', 'yWebsocket']

/** Rounds that count, one more before them. Servers take seconds a turn, so there are fewer than elsewhere. */
export function roundsOf({ isFull }: Surroundings): number {
  return isFull ? 3 : 2
}

/** Lets all contenders take turns, each with a new server on an empty disk. */
export function eachInTurns<T>(
  rounds: number,
  turn: (server: Server) => Promise<T>,
): Promise<Record<DialectName, T[]>> {
  const turnOf = (name: DialectName) => async (): Promise<T> => {
    const server = await startServer(name)
    try {
      return await turn(server)
    } finally {
      await server.dispose()
    }
  }
  const { tidemark, hocuspocus, yWebsocket } = Object.fromEntries(
    names.map((name) => [name, turnOf(name)]),
  ) as Record<DialectName, () => Promise<T>>
  return inTurns({ tidemark, hocuspocus, yWebsocket }, rounds)
}

/** The head of a table with a column for each contender, and what Tidemark is to each of the others. */
const HEAD: readonly string[] = [
  '',
  'Tidemark, durable',
  'Hocuspocus',
  'y-websocket',
  'Tidemark ÷ Hocuspocus',
  'Tidemark ÷ y-websocket',
]

/** A row of that table: medians, between the least and the greatest. */
export function rowOf<T>(
  name: string,
  results: Results<T>,
  figure: (result: T) => number,
): readonly string[] {
  const figures = names.map((contender) => results[contender].map(figure))
  const [own = [], ...others] = figures
  const ratio = (other: readonly number[]): string => {
    const value = medianRatio(own, other)
    return Number.isFinite(value) ? value.toFixed(2) : '–'
  }
  return [name, ...figures.map(spread), ...others.map(ratio)]
}

/** `median (least–greatest)` */
export function spread(values: readonly number[]): string {
  if (!values.every(Number.isFinite)) return '–'
  const [least, greatest] = [Math.min(...values), Math.max(...values)].map(format)
  return `${format(median(values))} (${least}–${greatest})`
}

const PEERS = ['@hocuspocus/server', '@y/websocket-server', 'yjs']

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

/** What all tables of relays say about who was measured. */
export function report(
  rows: readonly (readonly string[])[],
  aims: Report['aims'],
  head: readonly string[] = HEAD,
): Report {
  // Pinned exactly.
  const manifest = JSON.parse(readFileSync(inRepository('test/package.json'), 'utf8')) as Manifest
  const pinned = { ...manifest.dependencies, ...manifest.devDependencies }
  const packages = PEERS.map((name) => `${name} ${pinned[name]}`)
  return { head, rows, aims, peers: packages.join(', ') }
}
