import {
  EMPTY_CONTENT,
  type EntityContent,
  type EntityView,
  FIRST_GENERATION,
  type HybridClock,
  type RegisterWrite,
  viewOf,
} from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import {
  createDraft,
  createOutcome,
  type DraftContext,
  type OperationDraft,
  type Outcome,
} from '../operations/index.js'
import type { Clock } from '../platform/index.js'
import {
  currentGeneration,
  type EntityKey,
  type EntityRef,
  keyOf,
  type PendingPart,
  partsOn,
  type Replica,
  withFormerNames,
} from '../replica/index.js'
import type { Schema } from '../schema/index.js'
import type { Persistence } from '../sync/index.js'
import type { History, HistoryEntry } from './history.js'
import type { TypedEdit } from './live-documents.js'
import type { Outcomes } from './outcomes.js'
import type { TransactionHandle } from './types.js'

/** Makes operations: of what an app changes, of what it takes back, and of what was typed. */
export interface Writing {
  run(change: (draft: OperationDraft) => void): TransactionHandle
  /** Takes the last operation of this tab back by another one; undefined when there is none left that still stands. */
  undo(): TransactionHandle | undefined
  redo(): TransactionHandle | undefined
  /** Makes an operation of an edit of an open document. */
  commit(ref: EntityRef, edit: TypedEdit, content: EntityContent | undefined): void
  /** The life of an entity's document that a write to it belongs to. */
  generation(ref: EntityRef): string
}

export interface WritingHost {
  readonly schema: Schema
  readonly clock: Clock
  readonly hybridClock: HybridClock
  readonly replica: Replica
  readonly history: History
  readonly outcomes: Outcomes
  /** What can be written to now. @throws TidemarkError `store-closed`, `store-not-ready` */
  open(): {
    readonly persistence: Persistence
    readonly client: number
    readonly actor: string
    /** Makes operations of what was typed. */
    flush(): void
  }
  newId(): string
  rollBack(id: string): Promise<void>
  /** What can be undone or redone may be something else. */
  historyChanged(): void
}

export function createWriting(host: WritingHost): Writing {
  const { schema, clock, hybridClock, replica, history, outcomes } = host

  let context: DraftContext | undefined

  function contextOf(client: number, actor: string): DraftContext {
    if (context?.client === client && context.actor === actor) return context
    context = {
      schema,
      content: (ref) => replica.content(ref),
      view: (ref) => replica.entity(ref)?.view ?? NOTHING,
      updates: (ref) => replica.updates(ref),
      sequence: (ref) => replica.entity(ref)?.sequence ?? 0,
      generation: (ref) => generationOf(replica, ref),
      exists: (ref) => isKnown(replica, ref),
      now: () => Math.round(hybridClock.now() / 1000),
      tick: () => hybridClock.tick(),
      actor,
      client,
      newId: host.newId,
    }
    return context
  }

  function run(
    change: (draft: OperationDraft) => void,
    record: (entry: HistoryEntry) => void = history.done,
  ): TransactionHandle {
    const { client, actor, flush } = host.open()
    // What was typed before comes before.
    flush()
    const draft = createDraft(contextOf(client, actor))
    const result: unknown = change(draft)
    if (result instanceof Promise) throw asynchronous(result)
    const { parts, entities, contents, recorded } = draft.finish()
    if (parts.length === 0) {
      // Everything was so already: there is nothing to save or to send.
      const done = createOutcome()
      done.synced()
      const id = host.newId()
      return handleOf(id, entities, done)
    }
    const { id, outcome } = stage(parts, contents)
    record({ id, recorded })
    host.historyChanged()
    return handleOf(id, entities, outcome)
  }

  function handleOf(
    id: string,
    entities: readonly EntityRef[],
    outcome: Outcome,
  ): TransactionHandle {
    return {
      id,
      entities,
      when: (stage) => outcome.when(stage),
      rollback: () => host.rollBack(id),
    }
  }

  /** Takes steps back until one of them changes something: what others have overwritten since is none. */
  function step(
    take: () => HistoryEntry | undefined,
    record: (entry: HistoryEntry) => void,
  ): TransactionHandle | undefined {
    host.open().flush()
    for (let entry = take(); entry !== undefined; entry = take()) {
      const { recorded } = entry
      let isRecorded = false
      const handle = run(
        (draft) => {
          const { moves } = host.open().persistence.meta
          history.moved(draft.revert(recorded, [...moves, ...history.moves]))
        },
        (made) => {
          isRecorded = true
          record(made)
        },
      )
      if (isRecorded) return handle
    }
    host.historyChanged()
    return undefined
  }

  /** Applies an operation here and has it saved. */
  function stage(
    parts: readonly PendingPart[],
    contents: ReadonlyMap<EntityKey, EntityContent>,
  ): { readonly id: string; readonly outcome: Outcome } {
    const { persistence } = host.open()
    const id = host.newId()
    const outcome = outcomes.track(id)
    const named = parts.map((part) => {
      const writes = withFormerNames(part.writes, pendingWrites(replica, part))
      return writes === part.writes ? part : { ...part, writes }
    })
    replica.stage({ id, createdAt: clock.now(), parts: named, failure: null }, contents)
    persistence.save()
    return { id, outcome }
  }

  function editPart(
    { collection, id }: EntityRef,
    { update, client, generation }: TypedEdit,
  ): PendingPart {
    return {
      collection,
      id,
      kind: 'update',
      generation,
      sequence: (replica.entity({ collection, id })?.sequence ?? 0) + 1,
      lastModified: hybridClock.tick(),
      writes: [],
      edit: update,
      client,
      update,
    }
  }

  return {
    run: (change) => run(change),
    undo: () => step(history.takeUndo, history.undone),
    redo: () => step(history.takeRedo, history.redone),
    commit: (ref, edit, content) =>
      void stage([editPart(ref, edit)], new Map(content && [[keyOf(ref), content]])),
    generation: (ref) => generationOf(replica, ref),
  }
}

function generationOf(replica: Replica, ref: EntityRef): string {
  const entity = replica.entity(ref)
  return (entity && currentGeneration(entity.confirmed, partsOn(entity))) ?? FIRST_GENERATION
}

function pendingWrites(replica: Replica, ref: EntityRef): RegisterWrite[] {
  const entity = replica.entity(ref)
  return entity === undefined ? [] : partsOn(entity).flatMap(({ writes }) => writes)
}

const NOTHING: EntityView = viewOf(EMPTY_CONTENT)

/** Whether there is an entity, deleted or not, that can be written to. */
export function isKnown(replica: Replica, ref: EntityRef): boolean {
  const entity = replica.entity(ref)
  return entity !== undefined && (entity.confirmed !== undefined || entity.pending.length > 0)
}

function asynchronous(result: Promise<unknown>): TidemarkError {
  result.catch(() => undefined)
  return new TidemarkError(
    'value-invalid',
    "The transaction is asynchronous, and a write can't wait. Await first, then call transact; nothing was changed.",
  )
}
