import { gzipSync } from 'node:zlib'
import { bundle } from './bundle.js'
import { type Benchmark, format, within } from './report.js'

/** What a page loads, minified and gzipped; zod is the app's own and not counted. */
export const size: Benchmark = async () => {
  const withoutYjs = await sizeOf("export * from '@tidemark/core'", ['yjs', 'zod'])
  const withYjs = await sizeOf("export * from '@tidemark/core'", ['zod'])
  const peers = await sizeOf(
    "export * from 'yjs'; export * from 'y-websocket'; export * from 'y-indexeddb'",
  )
  return {
    head: ['kB', 'minified', 'and gzipped'],
    rows: [
      ['@tidemark/core without yjs', ...withoutYjs.map(format)],
      ['@tidemark/core with yjs', ...withYjs.map(format)],
      ['yjs alone', ...(await sizeOf("export * from 'yjs'")).map(format)],
      ['yjs, y-websocket and y-indexeddb', ...peers.map(format)],
    ],
    aims: [
      within('core without yjs, minified and gzipped', withoutYjs[1], 25, 'kB'),
      within('core with yjs, minified and gzipped', withYjs[1], 50, 'kB'),
    ],
  }
}

/** Minified, and then gzipped, in thousands of bytes. */
async function sizeOf(code: string, external: readonly string[] = []): Promise<[number, number]> {
  const script = await bundle(code, external)
  return [Buffer.byteLength(script) / 1_000, gzipSync(script, { level: 9 }).length / 1_000]
}
