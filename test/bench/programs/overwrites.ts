import type { FieldName, FieldValue } from './items.js'

export interface Overwrites {
  readonly entities: number
  /** Of each field, on average. */
  readonly times: number
}

export interface Overwrite {
  readonly index: number
  readonly field: FieldName
  readonly value: FieldValue
}

const FIELDS: readonly FieldName[] = [
  'title',
  'body',
  'done',
  'rank',
  'owner',
  'created',
  'tag',
  'priority',
]

/** One field of each entity in turn, chosen by chance: what is overwritten doesn't lie side by side. The same each time. */
export function* overwritesOf({ entities, times }: Overwrites): Iterable<Overwrite> {
  let random = 20_261_121
  for (let turn = 0; turn < times * FIELDS.length; turn++) {
    for (let index = 0; index < entities; index++) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
      const field = FIELDS[random >>> 29] ?? 'title'
      yield { index, field, value: valueFor(field, turn) }
    }
  }
}

function valueFor(field: FieldName, turn: number): FieldValue {
  switch (field) {
    case 'done':
      return turn % 2 === 0
    case 'rank':
    case 'created':
    case 'priority':
      return turn
    default:
      return `${field} as of turn ${turn}`
  }
}
