import { DEFAULT_LIMITS } from '@tidemark/server'
import { expect, test } from 'vitest'
import { read } from './documents.js'

test('docs/limits.md has every limit with its default', () => {
  const rows = [
    ...read('docs/limits.md').matchAll(/^\| `(\w+)` \| ([\d,]+) \| .+ \| .+ \| .+ \|$/gm),
  ]
  const documented = rows.map(([, name, value]) => [name, Number(value?.replaceAll(',', ''))])
  expect(Object.fromEntries(documented)).toEqual(DEFAULT_LIMITS)
  expect(documented).toHaveLength(Object.keys(DEFAULT_LIMITS).length)
})

test('docs/protocol.md has the limits that a client keeps to', () => {
  for (const name of ['maxFrameBytes', 'maxOperationBytes', 'maxInFlight'] as const)
    expect(read('docs/protocol.md')).toContain(
      `| \`${name}\` | ${DEFAULT_LIMITS[name].toLocaleString('en-US')}`,
    )
})
