/**
 * What texts, lists and counters must hold, computed without any of the product's code: what accepted operations put in and
 * no accepted operation took out. Letters and list elements are unique, so that each can be told.
 */
export interface SharedModel {
  typed(operation: string, entity: string, letters: readonly string[]): void
  erased(operation: string, letters: readonly string[]): void
  counted(operation: string, entity: string, by: number): void
  listed(operation: string, entity: string, element: string): void
  unlisted(operation: string, element: string): void
  /** By entity, the letters that its text must consist of when exactly those operations were accepted. */
  letters(accepted: ReadonlySet<string>): Map<string, Set<string>>
  /** The letters that those operations typed. */
  typedBy(operations: ReadonlySet<string>): Set<string>
  /** By entity, the sum of the accepted increments. */
  sums(accepted: ReadonlySet<string>): Map<string, number>
  /** By entity, elements that must be in its list: accepted, and taken out by nobody (a move may bring back what another one took out). */
  elements(accepted: ReadonlySet<string>): Map<string, Set<string>>
}

interface Put {
  readonly operation: string
  readonly entity: string
  readonly token: string
}

export function createSharedModel(): SharedModel {
  const typed: Put[] = []
  const listed: Put[] = []
  const takenOutBy = new Map<string, string[]>()
  const counted: { operation: string; entity: string; by: number }[] = []

  function takeOut(operation: string, token: string): void {
    takenOutBy.set(token, [...(takenOutBy.get(token) ?? []), operation])
  }

  function remaining(puts: readonly Put[], accepted: ReadonlySet<string>) {
    const byEntity = new Map<string, Set<string>>()
    for (const { operation, entity, token } of puts) {
      if (!accepted.has(operation)) continue
      if (takenOutBy.get(token)?.some((by) => accepted.has(by))) continue
      byEntity.set(entity, (byEntity.get(entity) ?? new Set()).add(token))
    }
    return byEntity
  }

  return {
    typed(operation, entity, letters) {
      for (const token of letters) typed.push({ operation, entity, token })
    },
    erased(operation, letters) {
      for (const letter of letters) takeOut(operation, letter)
    },
    counted: (operation, entity, by) => void counted.push({ operation, entity, by }),
    listed: (operation, entity, token) => void listed.push({ operation, entity, token }),
    unlisted: takeOut,
    letters: (accepted) => remaining(typed, accepted),
    typedBy: (operations) =>
      new Set(typed.flatMap(({ operation, token }) => (operations.has(operation) ? token : []))),
    elements: (accepted) => remaining(listed, accepted),
    sums(accepted) {
      const sums = new Map<string, number>()
      for (const { operation, entity, by } of counted)
        if (accepted.has(operation)) sums.set(entity, (sums.get(entity) ?? 0) + by)
      return sums
    },
  }
}
