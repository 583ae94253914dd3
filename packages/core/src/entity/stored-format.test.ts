import { describe, expect, test } from 'vitest'
import { compactUpdate } from './compaction.js'
import { isFieldName } from './names.js'
import { decodeContent } from './register-log.js'
import { viewOf } from './view.js'
import { openDocument, readShared } from './yjs/index.js'

/**
 * A card as it is stored and sent since version 0.1.0: values, a conflict, a set, a counter, a text, a list, XML, a migration, and
 * what was overwritten and deleted on the way. Never change it: such bytes are on people's disks. A format that can't
 * read it needs a fixture of its own beside this one, and a way to read both.
 */
const CARD_0_1 = [
  'AwOsAgAIAQRmOjhjBHUFdwRuYW1ldwRCb2Ihe0MZb/tol4BAfQB3CnVzZXIzL3IvOGN1BXcNdm90ZXM6JHNjaGVt',
  'YX0Me0MZb/tol4BEfQB3CnVzZXIzL3IvOGN1BXcHJHNjaGVtYX0Ce0MZb/tol4BIfQN3CnVzZXIzL3IvOGN1BXcE',
  'ZG9uZXh7Qxlv+2iXgEx9A3cKdXNlcjMvci84Y4GsAgMBiKwCBAF1BXcIJGRlbGV0ZWR+e0MZb/tol4BcfQV3CnVz',
  'ZXIzL3IvOGMFyAEAiGQJAXcFdGhyZWUHAQRib2R5AwFwBwDIAQEGBADIAQICaGkIAQRmOjVrBHUFdwV0aXRsZXcD',
  'Qm9ie0MZb/tol4AsfQJ3CnVzZXIyL3IvNWt1BXcGdGFnczpkeHtDGW/7aJeAMH0Cdwp1c2VyMi9yLzVrdQV3BGxp',
  'bmt/e0MZb/tol4A0fQJ3CnVzZXIyL3IvNWt1BXcIdm90ZXM6NWt9RXtDGW/7aJeAOH0Cdwp1c2VyMi9yLzVrDGQA',
  'BAEFbm90ZXMFTm90ZXOEZAQFIPCfjIoIAQVzdGVwcwJ3A29uZXcDdHdvAQEEZjoycwKIZAsBdQV3BHNpemV2AQV3',
  'aWR0aHw/wAAAe0MZb/tol4AMfQF3CnVzZXIxL3IvMnOBZAwBiGQNAnUFdwZ0YWdzOmF4e0MZb/tol4AUfQF3CnVz',
  'ZXIxL3IvMnN1BXcIdGFnczpiOmN4e0MZb/tol4AYfQF3CnVzZXIxL3IvMnOBZA8BiGQQAXUFdwVjb3ZlcnYEBGhh',
  'c2h3QGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZm',
  'ZmYEc2l6ZX0HBHR5cGV3CWltYWdlL3BuZwRuYW1ldwVwLnBuZ3tDGW/7aJeAIH0Bdwp1c2VyMS9yLzJzgWQRAcRk',
  'BGQFByBvZiBBZGGIZBICdQV3BXRpdGxldwNBZGF7Qxlv+2iXgCx9AncKdXNlcjEvci8yc3UFdwh2b3Rlczoyc30D',
  'e0MZb/tol4AwfQJ3CnVzZXIxL3IvMnMCrAIBBAFkBAoCDQEQARIB',
].join('')

const VIEW_0_1 = {
  values: {
    name: 'Bob!',
    'votes:$schema': 12,
    $schema: 2,
    done: true,
    $deleted: null,
    title: 'Bob',
    'tags:d': true,
    'votes:5k': -5,
    size: {
      width: 1.5,
    },
    'tags:a': true,
    'tags:b:c': true,
    cover: {
      hash: 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
      size: 7,
      type: 'image/png',
      name: 'p.png',
    },
    'votes:2s': 3,
  },
  conflicts: {
    title: [
      {
        value: 'Bob',
        actor: 'user2/r/5k',
        lastModified: 1790000000000011,
      },
      {
        value: 'Ada',
        actor: 'user1/r/2s',
        lastModified: 1790000000000011,
      },
    ],
  },
  shared: {
    body: '<p>hi</p>',
    notes: 'Notes of Ada 🌊',
    steps: ['one', 'two', 'three'],
  },
  sequence: 5,
  lastModified: 1790000000000023,
}

const bytes = new Uint8Array(Buffer.from(CARD_0_1, 'base64'))

describe('what version 0.1.0 has stored', () => {
  test('[SCH-4] reads as the same values for ever', () => {
    expect(viewOf(decodeContent(bytes))).toEqual(VIEW_0_1)
  })

  test('[SCH-4] [L17] reads the same once it is compacted', () => {
    expect(viewOf(decodeContent(compactUpdate(bytes)))).toEqual(VIEW_0_1)
  })

  test('[SCH-4] opens as a document for editors', () => {
    const doc = openDocument([bytes], 1)
    expect(readShared(doc, isFieldName)).toEqual(VIEW_0_1.shared)
    expect(doc.getXmlFragment('body').toString()).toBe('<p>hi</p>')
    doc.destroy()
  })
})
