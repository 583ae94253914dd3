/**
 * What a relay has acknowledged survives whatever happens to its process, its machine's power and its disk [L18]:
 * a real relay process under strace, which kills it, makes its system calls fail, or writes down what reached the disk.
 *
 *     operations, ledger         what is written, and what the relay has promised about it
 *     relay-client, workload     who writes, over the real protocol
 *     relay-life, faults         a relay's process, and what befalls it
 *     examination                whether everything that was promised is there
 *     trace, disk-model          what a power cut leaves of a recorded life
 *
 * May import `../support` and the packages by name; nothing else imports it.
 */
import {
  compareStamps,
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  formatActor,
  mergeUpdates,
  viewOf,
  writeRegisters,
} from '@tidemark/core/entity'
import type { OperationPart, WireOperation } from '@tidemark/core/protocol'

export const USER = 'ada'
export const REPLICA = 'replica-a'
const COLLECTION = 'cards'
const CLIENT = 1
const ACTOR = formatActor({ user: USER, replica: REPLICA, writer: CLIENT })

/** Writes one value to both entities of a pair: whoever sees two values has seen half an operation. */
export interface PairWrite {
  readonly operation: WireOperation
  readonly pair: number
  readonly value: string
}

/** Makes what one replica writes, one after the other; the relay has to take it in this order. */
export interface Author {
  /** @param bytes size of the value, about */
  write(pair: number, bytes?: number): PairWrite
}

/** The names of a pair's entities. */
export function sidesOf(pair: number): readonly [string, string] {
  return [`left-${pair}`, `right-${pair}`]
}

export function createAuthor(): Author {
  const contents = new Map<string, EntityContent>()
  let time = 1_600_000_000_000_000
  let count = 0

  function part(id: string, value: string): OperationPart {
    const known = contents.get(id)
    const content = known ?? EMPTY_CONTENT
    const sequence = viewOf(content).sequence + 1
    const lastModified = ++time
    const { update, content: written } = writeRegisters(content, CLIENT, [
      {
        kind: 'set',
        field: 'value',
        value,
        lastModified,
        sequence,
        actor: ACTOR,
        supersedes: [...content.live].sort(compareStamps),
      },
    ])
    contents.set(id, written)
    const kind = known === undefined ? 'create' : 'update'
    return {
      collection: COLLECTION,
      id,
      kind,
      generation: '0',
      sequence,
      lastModified,
      update,
    }
  }

  return {
    write(pair, bytes = 0) {
      count += 1
      const value = `value ${count} ${'·'.repeat(bytes / 2)}`
      const parts = sidesOf(pair).map((id) => part(id, value))
      return { operation: { id: `operation-${count}`, parts }, pair, value }
    },
  }
}

/** What an entity's bytes show. */
export function valueIn(log: readonly Uint8Array[]): unknown {
  return viewOf(decodeContent(mergeUpdates(log))).values['value']
}
