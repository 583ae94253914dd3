/**
 * What to show of a value that may change faster than an eye wants to follow. Pure: time comes in as
 * the `waited` event.
 *
 *                      settled value                      settled value
 *           ┌───────────────────────────────┐  ┌────────────────────────────────┐
 *           ▼                               │  ▼                                │
 *     shows the value ── passing value ──▶ settling ── waited ──▶ shows the passing value
 *                                                                   │  ▲
 *                                                   another passing └──┘ waited
 *
 * The one promise: a settled value (`synced`, `error`) is shown only while it is the value. So a check
 * mark goes at once and comes back at once; only the spinner is late.
 */
export interface Steady<Value> {
  readonly value: Value
  readonly shown: Value | 'settling'
  /** Set while a passing value has to last before it is shown; its identity names this wait. */
  readonly wait: object | undefined
}

/** Says of a value whether it is worth showing only if it lasts. */
export type IsPassing<Value> = (value: Value) => boolean

export function startSteady<Value>(value: Value, isPassing: IsPassing<Value>): Steady<Value> {
  return isPassing(value) ? { value, shown: 'settling', wait: {} } : show(value)
}

/** The value is now `value`. */
export function observe<Value>(
  steady: Steady<Value>,
  value: Value,
  isPassing: IsPassing<Value>,
): Steady<Value> {
  const { shown } = steady
  if (Object.is(value, steady.value)) return steady
  if (!isPassing(value) || Object.is(value, shown)) return show(value)
  // Passing values that take turns are one wait: else they could put off being shown for ever.
  if (shown === 'settling') return { ...steady, value }
  return { value, shown: isPassing(shown) ? shown : 'settling', wait: {} }
}

/** The delay of `wait` is over. Says nothing about a wait that has been replaced since. */
export function waited<Value>(steady: Steady<Value>, wait: object): Steady<Value> {
  return steady.wait === wait ? show(steady.value) : steady
}

function show<Value>(value: Value): Steady<Value> {
  return { value, shown: value, wait: undefined }
}
