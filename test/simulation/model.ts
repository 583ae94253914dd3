/**
 * What must come out, computed without any of the product's code.
 *
 * A write is known by its value, which is unique. It replaces what its author saw: the field's value and its rivals. What
 * the relay accepted counts; a write that was refused never happened, and whoever saw it inherits what it had replaced.
 * A field's live values are the accepted writes that no accepted write replaces.
 */
export interface ModelWrite {
  readonly operation: string
  readonly entity: string
  readonly field: string
  readonly value: string
  /** The values that the author saw in the field. */
  readonly saw: readonly string[]
}

export interface Model {
  write(write: ModelWrite): void
  /** By entity and field, the values that must be live when exactly those operations were accepted. */
  liveValues(accepted: ReadonlySet<string>): Map<string, Set<string>>
}

export function createModel(): Model {
  const writes = new Map<string, ModelWrite>()
  return {
    write: (write) => void writes.set(write.value, write),
    liveValues(accepted) {
      const replaced = new Set<string>()
      const live = new Map<string, Set<string>>()
      /** What a write replaces, seen through those that never happened. */
      const replacedBy = (write: ModelWrite): string[] =>
        write.saw.flatMap((value) => {
          const seen = writes.get(value)
          if (seen === undefined) return []
          return accepted.has(seen.operation) ? [value] : replacedBy(seen)
        })
      for (const write of writes.values()) {
        if (!accepted.has(write.operation)) continue
        for (const value of replacedBy(write)) replaced.add(value)
      }
      for (const write of writes.values()) {
        if (!accepted.has(write.operation) || replaced.has(write.value)) continue
        const key = `${write.entity}.${write.field}`
        const values = live.get(key) ?? new Set()
        live.set(key, values.add(write.value))
      }
      return live
    },
  }
}
