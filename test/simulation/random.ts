/** A seeded source of everything that is random in a simulation (splitmix32: one 32-bit word of state). */
export interface SeededRandom {
  /** In [0, 1). */
  unit(): number
  /** A whole number in [0, limit). */
  below(limit: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
  bytes(length: number): Uint8Array
  /** A source of its own, so that what one part draws doesn't move what others draw. */
  fork(): SeededRandom
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  function word(): number {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const random: SeededRandom = {
    unit: () => word() / 2 ** 32,
    below: (limit) => Math.floor((word() / 2 ** 32) * limit),
    chance: (probability) => word() / 2 ** 32 < probability,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new Error('nothing to pick from')
      return items[random.below(items.length)] as T
    },
    bytes: (length) => Uint8Array.from({ length }, () => word() & 0xff),
    fork: () => seededRandom(word()),
  }
  return random
}
