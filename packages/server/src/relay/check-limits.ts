import { DEFAULT_LIMITS, type Limits } from './limits.js'

/** The defaults with what is configured. @throws RangeError for what is no limit; its message says what to write. */
export function checkedLimits(configured: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(configured)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      const names = Object.keys(DEFAULT_LIMITS).sort().join(', ')
      throw new RangeError(`There is no limit "${name}". These can be set: ${names}.`)
    }
    if (!Number.isSafeInteger(value) || Number(value) < 1)
      throw new RangeError(
        `The limit ${name} must be a whole number above 0, not ${String(value)}.`,
      )
  }
  return { ...DEFAULT_LIMITS, ...configured }
}
