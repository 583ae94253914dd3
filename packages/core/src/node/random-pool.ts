import type { Random } from '../platform/index.js'

/** What 256 operation ids take. */
const POOL_BYTES = 4_096

/** Draws many bytes at a time: in Node a call to the source takes longer than everything else about an id. */
export function createRandomPool(draw: (length: number) => Uint8Array): Random {
  let pool = new Uint8Array(0)
  let used = 0
  return {
    bytes(length) {
      if (length > POOL_BYTES) return new Uint8Array(draw(length))
      if (used + length > pool.length) {
        pool = new Uint8Array(draw(POOL_BYTES))
        used = 0
      }
      // A copy: nobody can write into what others will get, and no byte is handed out twice.
      const bytes = pool.slice(used, used + length)
      used += length
      return bytes
    },
  }
}
