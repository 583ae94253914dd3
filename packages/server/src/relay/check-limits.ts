import { DEFAULT_LIMITS, type Limits } from './limits.js'

/** The defaults with what is configured. @throws RangeError for what is no limit; its message says what to write. */
export function checkedLimits(configured: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(configured)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      const names = Object.keys(DEFAULT_LIMITS).sort().join(', ')
      throw new RangeError(`There is no limit "${name}". These can be set: ${names}.`)
    }
    // Whoever has to wait for a rate of nothing waits for ever.
    const least = /(?:PerSecond|Burst)$/.test(name) ? 1 : 0
    if (!Number.isSafeInteger(value) || Number(value) < least) {
      throw new RangeError(
        `The limit ${name} must be a whole number from ${least} on, not ${String(value)}.`,
      )
    }
  }
  return { ...DEFAULT_LIMITS, ...configured }
}
