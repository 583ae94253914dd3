import { describe, expect, test } from 'vitest'
import {
  EMPTY_CONTENT,
  formatActor,
  mergeUpdates,
  viewOf,
  writeRegisters,
} from '../entity/index.js'
import { confirmChange } from './confirmed.js'
import type { ConfirmedEntity } from './records.js'

const EDITS = 100_000
const FIELDS = ['title', 'body', 'done', 'rank', 'owner', 'created', 'tag', 'priority']
/** What an entity may take on a device beyond the values that it shows. */
const MOST_ABOVE_VALUES = 768

const START = 1_790_000_000_000_000
/** Client ids as Yjs draws them. */
const ADA = 4_093_288_711
const BEA = 1_912_667_021

interface Growth {
  readonly entity: ConfirmedEntity
  readonly mostAboveValues: number
}

/**
 * Edits by writers that take turns and know of each other, one field at a time, in no regular order. Up to 20 of them arrive
 * as one change, as after a catch-up: the snapshot then grows by more at once than when each comes alone.
 */
function grow(writers: readonly number[]): Growth {
  let content = EMPTY_CONTENT
  let entity: ConfirmedEntity | undefined
  let arriving: Uint8Array[] = []
  let mostAboveValues = 0
  const random = createRandom()
  for (let index = 0; index < EDITS; index++) {
    const field = FIELDS[random(FIELDS.length)] ?? ''
    const writer = writers[index % writers.length] ?? 0
    const lastModified = START + index
    const sequence = index + 1
    const written = writeRegisters(content, writer, [
      {
        kind: 'set',
        field,
        value: `value number ${index}`,
        lastModified,
        sequence,
        actor: formatActor({ user: 'ada', replica: 'a1b2c3d4e5', writer }),
        supersedes: content.live.filter((element) => element.field === field),
      },
    ])
    content = written.content
    arriving.push(written.update)
    if (arriving.length <= random(20) && sequence < EDITS) continue
    entity = confirmChange(entity, {
      collection: 'cards',
      id: 'c',
      generation: '0',
      update: mergeUpdates(arriving),
      sequence,
      lastModified,
      confirmedSequence: sequence,
    })
    arriving = []
    mostAboveValues = Math.max(mostAboveValues, entity.bytes.length - sizeOfValues(entity))
  }
  if (entity === undefined) throw new Error('nothing was written')
  expect(entity.view).toEqual(viewOf(content))
  return { entity, mostAboveValues }
}

/** The same numbers each time. */
function createRandom(): (below: number) => number {
  let state = 20_261_121
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function sizeOfValues({ view }: ConfirmedEntity): number {
  return new TextEncoder().encode(JSON.stringify(view.values)).length
}

describe('[L17] an entity that was edited 100,000 times', () => {
  test('has never been more than three quarters of a kB above its values, with one writer', () => {
    expect(grow([ADA]).mostAboveValues).toBeLessThanOrEqual(MOST_ABOVE_VALUES)
  })

  test('has never been more than three quarters of a kB above its values, with two that take turns', () => {
    expect(grow([ADA, BEA]).mostAboveValues).toBeLessThanOrEqual(MOST_ABOVE_VALUES)
  })
})
