/** What a power cut would leave of a write-ahead log. */
export interface SurvivingLog {
  /** Bytes from its start that an fsync has covered. */
  readonly bytes: number
  /** How often it was started anew; everything before is in the database file by then. */
  readonly generation: number
}

const WRITE = /\bpwrite64\(\d+<[^>]*>, .*, (\d+), (\d+)\b/
const TRUNCATE = /\bftruncate\(\d+<[^>]*>, (\d+)/
const SYNCED = /(?:\b(?:fsync|fdatasync)\(.*|<\.\.\. (?:fsync|fdatasync) resumed>.*)\) += 0\b/

/**
 * Reads strace's log of one file. Its lines are written before the program goes on, so that whatever the program did
 * after an fsync comes after the line of that fsync.
 *
 * @param initialBytes what the file held, safely, when the tracing began
 */
export function survivingLog(trace: string, initialBytes: number): SurvivingLog {
  let written = initialBytes
  let bytes = initialBytes
  let generation = 0
  for (const line of trace.split('\n')) {
    const write = WRITE.exec(line)
    const truncate = TRUNCATE.exec(line)
    if (write !== null) {
      const [length, offset] = [Number(write[1]), Number(write[2])]
      if (offset === 0) {
        generation += 1
        written = 0
        bytes = 0
      }
      written = Math.max(written, offset + length)
    } else if (truncate !== null) {
      generation += 1
      written = Number(truncate[1])
      bytes = Math.min(bytes, written)
    } else if (SYNCED.test(line)) {
      bytes = written
    }
  }
  return { bytes, generation }
}
