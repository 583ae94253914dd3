import { compactUpdate, mergeUpdates } from '@tidemark/core/entity'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { DEFAULT_LIMITS } from './limits.js'
import { createTestRelay, settled } from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

/** Writes XML into one entity: an element in the innermost one, by an update of its own each time. */
function createTree(client = 7) {
  const doc = new Y.Doc()
  doc.clientID = client
  const writer = createWriter({ client: 1 })
  let innermost: Y.XmlFragment | Y.XmlElement = doc.getXmlFragment('body')
  let first: Y.XmlElement | undefined

  function edit(change: () => void, kind: 'create' | 'update' = 'update') {
    const before = Y.encodeStateVector(doc)
    doc.transact(change)
    const update = Y.encodeStateAsUpdate(doc, before)
    return writer.operation({ ...writer.part('tree', {}), kind, update })
  }

  return {
    deepen: (levels = 1) =>
      edit(
        () => {
          for (let level = 0; level < levels; level++) {
            const element = new Y.XmlElement('li')
            innermost.insert(0, [element])
            innermost = element
            first ??= element
          }
        },
        first === undefined ? 'create' : 'update',
      ),
    widen: () => edit(() => doc.getXmlFragment('body').push([new Y.XmlElement('p')])),
  }
}

describe('a tree', () => {
  it('that grows by a level with each of thousands of updates ends at the limit, and stays readable [SEC-2]', async () => {
    const { join, storage } = createTestRelay()
    const author = await join()
    const tree = createTree()
    const outcome: string[] = []
    for (let level = 0; level < 3_000; level++) {
      author.push(tree.deepen())
      await settled()
      const [message] = author.take()
      if (message?.type === 'reject') outcome.push(`${message.code} at ${level}`)
      // The next one builds on what was refused: nothing of it can be applied.
      if (outcome.length > 2) break
    }
    expect(outcome[0]).toBe(`too-large at ${DEFAULT_LIMITS.maxNesting}`)
    expect(outcome.slice(1).every((code) => code.startsWith('gap'))).toBe(true)

    const page = await storage.entitiesSince('team', 0, { maxEntities: 10, maxBytes: 1e9 })
    const [entity] = page.entities
    const doc = new Y.Doc()
    Y.applyUpdate(doc, compactUpdate(mergeUpdates(entity?.log ?? [])))
    // What the limit is for: showing it, deleting it, and loading what is left.
    expect(doc.getXmlFragment('body').toString()).toContain('<li>')
    doc.getXmlFragment('body').delete(0, 1)
    const felled = new Y.Doc()
    Y.applyUpdate(felled, Y.encodeStateAsUpdate(doc))
    expect(felled.getXmlFragment('body').length).toBe(0)
  })

  it('in one update may be as deep as the limit and no deeper', async () => {
    const { join } = createTestRelay({ limits: { maxNesting: 64 } })
    const author = await join()
    author.push(createTree().deepen(65))
    await settled()
    expect(author.take()).toMatchObject([{ type: 'reject', code: 'too-large', retryable: false }])
    author.push(createTree(8).deepen(64))
    await settled()
    expect(author.take()).toMatchObject([{ type: 'ack' }])
  })

  it('that is wide but not deep may grow for ever, also on a relay that was started anew', async () => {
    const limits = { maxNesting: 8 }
    const first = createTestRelay({ limits })
    const tree = createTree()
    let author = await first.join()
    author.push(tree.deepen(7))
    await settled()
    expect(author.take()).toMatchObject([{ type: 'ack' }])
    for (let count = 0; count < 40; count++) {
      if (count === 20) author = await createTestRelay({ limits, disk: first.disk }).join()
      author.push(tree.widen())
      await settled()
      expect(author.take()).toMatchObject([{ type: 'ack' }])
    }
    author.push(tree.deepen(1))
    await settled()
    expect(author.take()).toMatchObject([{ type: 'ack' }])
    author.push(tree.deepen(1))
    await settled()
    expect(author.take()).toMatchObject([{ type: 'reject', code: 'too-large' }])
  })
})
