/** Marks are put into what is written and looked for in what arrives, as bytes: `@@` and eight digits. */
const PREFIX = '@@'
const DIGITS = 8
const LENGTH = PREFIX.length + DIGITS
const ZERO = 0x30

export function markOf(index: number): string {
  return PREFIX + String(index).padStart(DIGITS, '0')
}

/** A title with a mark in it, about as long as titles are. */
export function titleWith(mark: string): string {
  return `${mark} renamed again to this`
}

/** Calls back with each index that is marked in `bytes[start, end)`. A message may hold several updates. */
export function readMarks(
  bytes: Buffer,
  start: number,
  end: number,
  found: (index: number) => void,
): void {
  let at = bytes.indexOf(PREFIX, start, 'latin1')
  while (at >= 0 && at + LENGTH <= end) {
    const index = digitsAt(bytes, at + PREFIX.length)
    if (index !== undefined) found(index)
    at = bytes.indexOf(PREFIX, at + (index === undefined ? 1 : LENGTH), 'latin1')
  }
}

/** Ids and digests may hold the prefix by chance. */
function digitsAt(bytes: Buffer, start: number): number | undefined {
  let index = 0
  for (let at = start; at < start + DIGITS; at++) {
    const digit = (bytes[at] ?? 0) - ZERO
    if (digit < 0 || digit > 9) return undefined
    index = index * 10 + digit
  }
  return index
}
