/**
 * A UUID of version 7 (RFC 9562): the time first, so that ids sort by it.
 *
 * @param milliseconds since the epoch, not negative
 * @param random 16 bytes that nobody else has; changed
 */
export function uuidOf(milliseconds: number, random: Uint8Array): string {
  let time = Math.floor(milliseconds)
  for (let at = 5; at >= 0; at--) {
    random[at] = time % 256
    time = Math.floor(time / 256)
  }
  random[6] = 0x70 | (Number(random[6]) & 0x0f)
  random[8] = 0x80 | (Number(random[8]) & 0x3f)
  let id = ''
  for (let at = 0; at < 16; at++) {
    if (at === 4 || at === 6 || at === 8 || at === 10) id += '-'
    id += HEX[Number(random[at])]
  }
  return id
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
