import * as z from 'zod'
import { ABSENT } from './field-index.js'
import { createFieldIndexes, type FieldIndexes } from './field-indexes.js'
import type { RowSource } from './live-query.js'
import { fieldValue } from './row-value.js'
import type { EntityRow } from './types.js'

const fields = {
  title: z.string(),
  rank: z.number().optional(),
  done: z.boolean(),
  /** Anything: what schemas allow and what nobody expects to be sorted. */
  mixed: z.any(),
}
export type Fields = typeof fields
export type Row = EntityRow<Fields>

/** A collection: frozen rows that keep their identity until they change. */
export class Source implements RowSource<Row> {
  readonly rows = new Map<string, Row>()
  readonly #listeners = new Set<(ids: ReadonlySet<string>) => void>()

  all(): Iterable<Row> {
    return this.rows.values()
  }

  get(id: string): Row | undefined {
    return this.rows.get(id)
  }

  readonly indexes: FieldIndexes = createFieldIndexes({
    ids: () => this.rows.keys(),
    value: (id, field) => {
      const row = this.rows.get(id)
      return row === undefined ? ABSENT : fieldValue<Fields>(row, field)
    },
  })

  subscribe(listener: (ids: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get followers(): number {
    return this.#listeners.size
  }

  change(changes: Iterable<readonly [id: string, row: Row | undefined]>): void {
    const ids = new Set<string>()
    for (const [id, row] of changes) {
      ids.add(id)
      if (row === undefined) this.rows.delete(id)
      else this.rows.set(id, row)
    }
    this.indexes.update(ids)
    for (const listener of this.#listeners) listener(ids)
  }
}

export type Content = Partial<Pick<Row, 'title' | 'rank' | 'done' | 'mixed'>>

export function row(id: string, content: Content = {}): Row {
  return Object.freeze({
    id,
    title: id,
    rank: undefined,
    done: false,
    mixed: null,
    ...content,
    $status: 'synced',
    $version: Object.freeze({
      sequence: 1,
      lastModified: id.charCodeAt(0),
      confirmedSequence: 1,
    }),
    $conflicts: Object.freeze({}),
    $error: undefined,
  })
}

export function apply(
  source: Source,
  script: readonly { id: string; what: Content | null | string }[],
): void {
  source.change(
    script.map(({ id: own, what }) => [
      own,
      typeof what === 'string' ? source.get(own) : what === null ? undefined : row(own, what),
    ]),
  )
}

export const microtasks = (): Promise<void> => Promise.resolve()
