import { EMPTY_CONTENT, viewOf, writeRegisters } from '@tidemark/core/entity'
import { describe, expect, it } from 'vitest'
import { compacted, isCompactionDue } from './compaction.js'

const EDITS = 100_000
const FIELDS = ['title', 'body', 'done', 'rank', 'owner', 'created', 'tag', 'priority']
/** A snapshot with its stamps, and a log of twice its size. */
const MOST_ABOVE_VALUES = 2_048

/** How much the relay stored at most beyond the values, while writers took turns that know of each other. */
function mostAboveValues(writers: readonly number[]): number {
  let content = EMPTY_CONTENT
  let snapshot: Uint8Array | undefined
  let log: Uint8Array[] = []
  let logBytes = 0
  let most = 0
  for (let index = 0; index < EDITS; index++) {
    // Not in turn: what is deleted side by side would take less.
    const field = FIELDS[(index * 5 + Math.floor(index / 3)) % FIELDS.length] ?? ''
    const writer = writers[index % writers.length] ?? 0
    const written = writeRegisters(content, writer, [
      {
        kind: 'set',
        field,
        value: `value number ${index}`,
        lastModified: 1_790_000_000_000_000 + index,
        sequence: index + 1,
        actor: `ada/a1b2c3d4e5/${writer.toString(36)}`,
        supersedes: content.live.filter((element) => element.field === field),
      },
    ])
    content = written.content
    const { update } = written
    const sizes = { snapshotBytes: snapshot?.length ?? 0, logBytes, logLength: log.length }
    if (isCompactionDue(sizes, update.length)) {
      snapshot = compacted(snapshot === undefined ? log : [snapshot, ...log], update)
      log = []
      logBytes = 0
    } else {
      log.push(update)
      logBytes += update.length
    }
    // Reading every view would take longer than all the rest; 7 meets every length that a log can have.
    if (index % 7 !== 0) continue
    const values = new TextEncoder().encode(JSON.stringify(viewOf(content).values)).length
    most = Math.max(most, (snapshot?.length ?? 0) + logBytes - values)
  }
  return most
}

describe('[L17] an entity that was edited 100,000 times', () => {
  it('has never taken more than 2 kB above its values, with one writer', () => {
    expect(mostAboveValues([4_093_288_711])).toBeLessThanOrEqual(MOST_ABOVE_VALUES)
  })

  it('has never taken more than 2 kB above its values, with two that take turns', () => {
    expect(mostAboveValues([4_093_288_711, 1_912_667_021])).toBeLessThanOrEqual(MOST_ABOVE_VALUES)
  })
})
