export type Cancel = () => void

export interface Clock {
  /** Wall time in milliseconds since the Unix epoch. May jump; nothing may rely on it for order. */
  now(): number
  /** Calls `callback` once, not before `milliseconds` have passed, unless cancelled. */
  schedule(callback: () => void, milliseconds: number): Cancel
}
