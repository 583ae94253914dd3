import { type Fate, operationDigest, sameBytes } from '@tidemark/core/protocol'
import { type PairWrite, sidesOf } from './operations.js'

/** What was sent, what the relay has promised about it, and what of that is not so. */
export interface Ledger {
  /** In the order in which the relay has to take them. */
  readonly sent: readonly PairWrite[]
  readonly promised: ReadonlyMap<string, number>
  send(write: PairWrite): void
  /** The relay said that it has the operation: an acknowledgement, or a fate. */
  promise(fate: Fate): void
  /** The ones without a promise. */
  open(): readonly PairWrite[]
  /** What is wrong with a relay that holds this; empty when nothing is. */
  compare(held: Held): readonly string[]
  /** A copy that goes its own way. */
  fork(promised?: ReadonlyMap<string, number>): Ledger
}

/** What a relay gives out. */
export interface Held {
  readonly head: number
  readonly fates: readonly Fate[]
  /** By entity. */
  readonly values: ReadonlyMap<string, unknown>
}

export function createLedger(
  sent: PairWrite[] = [],
  promised: Map<string, number> = new Map(),
): Ledger {
  const wrongs: string[] = []

  function promise({ id, sequence, digest }: Fate): void {
    const write = sent.find(({ operation }) => operation.id === id)
    if (write === undefined) wrongs.push(`${id} was promised and never sent`)
    else if (!sameBytes(digest, operationDigest(write.operation.parts)))
      wrongs.push(`${id} was promised with another content`)
    const before = promised.get(id)
    if (before !== undefined && before !== sequence)
      wrongs.push(`${id} has sequence ${before}, and now ${sequence}`)
    for (const [other, taken] of promised) {
      if (other !== id && taken === sequence)
        wrongs.push(`${id} has the sequence ${sequence} of ${other}`)
    }
    promised.set(id, sequence)
  }

  /** Every pair shows the last of its operations that is held, on both sides. */
  function compareValues({ fates, values }: Held): string[] {
    const held = new Map(fates.map(({ id, sequence }) => [id, sequence]))
    const last = new Map<number, { readonly sequence: number; readonly value: string }>()
    for (const { operation, pair, value } of sent) {
      const sequence = held.get(operation.id)
      if (sequence !== undefined && sequence > (last.get(pair)?.sequence ?? 0))
        last.set(pair, { sequence, value })
    }
    return [...new Set(sent.map(({ pair }) => pair))].flatMap((pair) =>
      sidesOf(pair).flatMap((id) => {
        const [wanted, found] = [last.get(pair)?.value, values.get(id)]
        return wanted === found ? [] : [`${id} shows ${short(found)}, not ${short(wanted)}`]
      }),
    )
  }

  return {
    sent,
    promised,
    send: (write) => void sent.push(write),
    promise,
    open: () => sent.filter(({ operation }) => !promised.has(operation.id)),
    compare(held) {
      const found = new Map(held.fates.map(({ id, sequence }) => [id, sequence]))
      const problems = [...wrongs]
      for (const [id, sequence] of promised) {
        const now = found.get(id)
        if (now === undefined) problems.push(`${id} was promised and is lost`)
        else if (now !== sequence) problems.push(`${id} has sequence ${now}, not ${sequence}`)
      }
      // The only writer takes 1, 2, 3 … in its order: no sequence is left out, none is given twice.
      const sequences = sent.flatMap(({ operation }) => found.get(operation.id) ?? [])
      for (const [index, sequence] of sequences.entries()) {
        if (sequence !== index + 1) problems.push(`the sequence ${sequence} stands at ${index + 1}`)
      }
      if (held.head !== sequences.length)
        problems.push(`the head is ${held.head} after ${sequences.length} operations`)
      return problems.concat(compareValues(held))
    },
    fork: (known = promised) => createLedger([...sent], new Map(known)),
  }
}

function short(value: unknown): string {
  return String(value).slice(0, 12)
}
