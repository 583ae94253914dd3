import { TidemarkError } from '@tidemark/core'
import { expect, it } from 'vitest'
import { silentLog } from '../log.js'
import type { StoredOperation } from '../storage/index.js'
import { readOperations } from './fates.js'

function stored(id: string): StoredOperation {
  return {
    id,
    sequence: 1,
    user: 'ada',
    replica: 'replica-a',
    digest: new Uint8Array(),
    acceptedAt: 0,
  }
}

function storageWhere(
  damaged: ReadonlySet<string>,
  code: 'corrupt' | 'storage-failed' = 'corrupt',
) {
  return {
    async operations(_space: string, ids: readonly string[]) {
      if (ids.some((id) => damaged.has(id))) throw new TidemarkError(code, 'damaged')
      return ids.map(stored)
    },
  }
}

it('[DUR-9] the fates of other operations are told beside a damaged one, which is logged', async () => {
  const logged: unknown[] = []
  const log = { ...silentLog, error: (fields: object) => void logged.push(fields) }
  const storage = storageWhere(new Set(['two']))
  const known = await readOperations(storage, log, 'team', ['one', 'two', 'three'])
  expect(known.map(({ id }) => id)).toEqual(['one', 'three'])
  expect(logged).toMatchObject([{ space: 'team', operation: 'two' }])
})

it('a storage that fails is not taken for one that is damaged', async () => {
  const storage = storageWhere(new Set(['one']), 'storage-failed')
  await expect(readOperations(storage, silentLog, 'team', ['one'])).rejects.toMatchObject({
    code: 'storage-failed',
  })
})
