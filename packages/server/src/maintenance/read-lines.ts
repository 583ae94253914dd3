import { closeSync, openSync, readSync } from 'node:fs'

const CHUNK_BYTES = 256 * 1024
const NEWLINE = 10

/**
 * The lines of a file with their ends, one at a time: the file may be larger than the memory.
 *
 * @throws RangeError for a line of more than `maxBytes`
 */
export function* readLines(path: string, maxBytes: number): Generator<string> {
  const descriptor = openSync(path, 'r')
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    let parts: Buffer[] = []
    let bytes = 0
    for (;;) {
      const length = readSync(descriptor, chunk)
      if (length === 0) break
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0 && end < length; ) {
        yield Buffer.concat([...parts, chunk.subarray(start, end + 1)]).toString('utf8')
        parts = []
        bytes = 0
        start = end + 1
        end = chunk.indexOf(NEWLINE, start)
      }
      parts.push(Buffer.from(chunk.subarray(start, length)))
      bytes += length - start
      if (bytes > maxBytes) throw new RangeError(`A line has more than ${maxBytes} bytes.`)
    }
    if (bytes > 0) yield Buffer.concat(parts).toString('utf8')
  } finally {
    closeSync(descriptor)
  }
}
