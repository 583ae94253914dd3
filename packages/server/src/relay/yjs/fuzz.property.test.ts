import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createTestRelay, settled } from '../test-relay.test-support.js'
import { connectStock, step2Of } from './stock-connection.test-support.js'

/** Frames that begin like the real ones, and then anything; or a real one with some bytes changed. */
const frame = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .tuple(fc.constantFrom([0, 0], [0, 1], [0, 2], [1]), fc.uint8Array({ maxLength: 64 }))
    .map(([head, rest]) => Uint8Array.of(...head, rest.length, ...rest)),
  fc
    .tuple(
      fc.string({ maxLength: 20 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
    )
    .map(([text, changes]) => {
      const doc = new Y.Doc()
      doc.getText('body').insert(0, `x${text}`)
      const bytes = step2Of(doc).slice()
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte
      return bytes
    }),
)

describe('a stock connection', () => {
  it('[SEC-1] [S1] [S16] closes at most itself, whatever comes, and the entity stays whole', async () => {
    let closed = 0
    let stored = 0
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 8 }), async (frames) => {
        const relay = createTestRelay()
        const bystander = connectStock(relay, { user: 'cy' })
        bystander.sync()
        await settled()
        bystander.doc.getText('body').insert(0, 'Ebb')
        const fuzzed = connectStock(relay, { isHonest: false })
        await settled()
        for (const bytes of frames) fuzzed.sendBytes(bytes)
        await settled()
        if (fuzzed.closed !== undefined) closed += 1
        bystander.doc.getText('body').insert(0, '!')
        const late = connectStock(relay, { user: 'late' })
        late.sync()
        await settled()
        stored += relay.disk.spaces.get('team')?.operations.size ?? 0
        expect([bystander.closed, late.closed]).toEqual([undefined, undefined])
        expect(Y.encodeStateVector(late.doc)).toEqual(Y.encodeStateVector(bystander.doc))
        expect(late.doc.store.pendingStructs ?? late.doc.store.pendingDs).toBe(null)
        expect(late.doc.getText('body').toString()).toContain('!')
      }),
      { numRuns: 300, seed: 24 },
    )
    expect(closed).toBeGreaterThan(100)
    expect(stored).toBeGreaterThan(600)
  })
})
