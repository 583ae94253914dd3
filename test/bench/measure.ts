/** Rounds that count; one before them warms up what lies outside of the measured process (disk, caches). */
export const ROUNDS = 5

/**
 * Lets contenders take turns, in an order that changes with every round: whatever else the machine is doing meets
 * all of them. Each turn should be a fresh process or page. Results come without the first round.
 */
export async function inTurns<Name extends string, T>(
  contenders: Readonly<Record<Name, (round: number) => Promise<T>>>,
  rounds: number = ROUNDS,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(contenders) as Name[]
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    T[]
  >
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const result = await contenders[name](round)
      if (round > 0) results[name].push(result)
    }
  }
  return results
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** The value that `share` of the values don't exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new Error('There is nothing that was measured.')
  return value
}

/** The median over the rounds of how `a` compares with the `b` of its round. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, index) => value / (b[index] ?? Number.NaN)))
}
