import * as z from 'zod'
import {
  decodeContent,
  EMPTY_CONTENT,
  formatActor,
  type RegisterWrite,
  viewOf,
  writeRegisters,
} from '../entity/index.js'
import {
  confirmChange,
  createReplica,
  type EntityRef,
  type PendingOperation,
} from '../replica/index.js'
import { collection, defineSchema, set } from '../schema/index.js'
import { createDraft, type DraftResult, type OperationDraft } from './draft.js'

const schema = defineSchema({
  version: 1,
  collections: {
    cards: collection({
      title: z.string().min(1),
      done: z.boolean().default(false),
      url: z.url().optional(),
      size: z.object({ width: z.number() }).optional(),
      tags: set(z.string().max(600).toLowerCase()),
    }),
  },
})
export const CARD: EntityRef = { collection: 'cards', id: 'a' }

export interface CardDraft {
  id: string
  title: string | undefined
  done: boolean | undefined
  url: string | undefined
  size: { width: number } | undefined
  readonly tags: {
    readonly size: number
    has(tag: string): boolean
    add(tag: string): void
    delete(tag: string): void
    [Symbol.iterator](): Iterator<string>
  }
}

/** A replica and what a store does with a draft: gather, then stage. */
export function device(client = 1) {
  const replica = createReplica()
  let time = 1000
  let ids = 0
  const exists = (ref: EntityRef): boolean => replica.entity(ref) !== undefined

  function draft(): OperationDraft {
    return createDraft({
      schema,
      content: (ref) => replica.content(ref),
      view: (ref) => viewOf(replica.content(ref)),
      updates: (ref) => replica.updates(ref),
      sequence: (ref) => replica.entity(ref)?.sequence ?? 0,
      generation: () => '0',
      exists,
      now: () => 1_790_000_000_000,
      tick: () => {
        time += 1
        return time
      },
      actor: formatActor({ user: 'ada', replica: 'r', writer: client }),
      client,
      newId: () => {
        ids += 1
        return `id-${ids}`
      },
    })
  }

  function run(change: (draft: OperationDraft) => void): DraftResult {
    const own = draft()
    change(own)
    const result = own.finish()
    if (result.parts.length > 0) {
      const operation: PendingOperation = {
        id: `op-${time}`,
        createdAt: 0,
        parts: result.parts,
        failure: null,
      }
      replica.stage(operation, result.contents)
    }
    return result
  }

  return {
    replica,
    draft,
    run,
    insert: (input: Record<string, unknown>) =>
      run((own) => void own.insert('cards', { id: 'a', ...input })),
    update: (change: (card: CardDraft) => void) => run((own) => own.update(CARD, change)),
    /** Somebody else's write, as the relay hands it out. */
    receive(write: Omit<Extract<RegisterWrite, { kind: 'set' }>, 'kind' | 'sequence' | 'actor'>) {
      const confirmed = replica.entity(CARD)?.confirmed
      const content = confirmed === undefined ? EMPTY_CONTENT : decodeContent(confirmed.bytes)
      const { update } = writeRegisters(content, 77, [
        { kind: 'set', sequence: 1, actor: 'bob/x/y', ...write },
      ])
      const row = confirmChange(confirmed, {
        ...CARD,
        generation: '0',
        update,
        sequence: 1,
        lastModified: write.lastModified,
        confirmedSequence: (confirmed?.confirmedSequence ?? 0) + 1,
      })
      replica.absorb({ entities: [row], operations: [], gone: [] })
    },
    values: () => replica.entity(CARD)?.view.values,
    conflicts: () => replica.entity(CARD)?.view.conflicts,
  }
}

export const writesOf = (result: DraftResult): readonly RegisterWrite[] =>
  result.parts.flatMap(({ writes }) => writes)
