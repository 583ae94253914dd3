import type { CardsStore } from '../support/cards-store.js'
import type { Intent } from './intents.js'

/** One write that was made, and what its author saw of the field. */
export interface Deed {
  readonly operation: string
  readonly card: string
  /** `title`, `note`, `tags:<tag>` or `$deleted`. */
  readonly field: string
  readonly value: string
  readonly saw: readonly string[]
}

export interface Performance {
  readonly author: string
  readonly intents: readonly Intent[]
  /** Cards that only the author deletes and restores, or that anybody may delete. */
  readonly deletable: string
  readonly restorable: readonly string[]
}

/**
 * Runs in the page, so it uses nothing of this module. Returns as soon as everything is applied; the operations are being
 * saved and sent meanwhile, and `window.deeds` knows them.
 */
export function perform(
  store: CardsStore,
  { author, intents, deletable, restorable }: Performance,
): readonly Deed[] {
  type Handle = ReturnType<CardsStore['transact']>
  const shared = window as unknown as { deeds?: Handle[] }
  shared.deeds ??= []
  const handles = shared.deeds
  const deeds: Deed[] = []
  let number = 0

  function note(handle: Handle, fields: readonly Omit<Deed, 'operation'>[]): void {
    handles.push(handle)
    // When the page goes, so do those who wait.
    handle.when('synced').catch(() => undefined)
    for (const field of fields) deeds.push({ operation: handle.id, ...field })
  }

  function pickFrom<T>(items: readonly T[], pick: number): T | undefined {
    return items[Math.floor(pick * items.length)]
  }

  function carry(intent: Intent): void {
    const rows = store.cards.query().current
    switch (intent.kind) {
      case 'insert': {
        const { id, marker } = intent
        const handle = store.cards.insert({ id, title: marker, note: `note ${marker}`, addedAt: 0 })
        note(handle, [
          { card: id, field: 'title', value: marker, saw: [] },
          { card: id, field: 'note', value: `note ${marker}`, saw: [] },
        ])
        return
      }
      case 'retitle': {
        const chosen = new Set(intent.picks.map((pick) => pickFrom(rows, pick)))
        const changes = [...chosen].flatMap((row, index) =>
          row === undefined
            ? []
            : {
                card: row.id,
                field: 'title',
                value: `${intent.marker}/${index}`,
                saw: row.$conflicts['title']?.map(({ value }) => String(value)) ?? [row.title],
              },
        )
        if (changes.length === 0) return
        const handle = store.transact((tx) => {
          for (const { card, value } of changes) {
            tx.cards.update(card, (draft) => {
              draft.title = value
            })
          }
        })
        note(handle, changes)
        return
      }
      case 'tag': {
        const row = pickFrom(rows, intent.pick)
        if (row === undefined) return
        const handle = store.cards.update(row.id, (draft) => draft.tags.add(intent.marker))
        const field = `tags:${intent.marker}`
        note(handle, [{ card: row.id, field, value: intent.marker, saw: [] }])
        return
      }
      case 'untag': {
        const row = pickFrom(
          rows.filter(({ tags }) => tags.length > 0),
          intent.pick,
        )
        const tag = row === undefined ? undefined : pickFrom(row.tags, intent.pick)
        if (row === undefined || tag === undefined) return
        const handle = store.cards.update(row.id, (draft) => draft.tags.delete(tag))
        note(handle, [
          { card: row.id, field: `tags:${tag}`, value: `no ${tag} ${handle.id}`, saw: [tag] },
        ])
        return
      }
      case 'delete': {
        const pattern = new RegExp(deletable)
        const row = pickFrom(
          rows.filter(({ id }) => pattern.test(id)),
          intent.pick,
        )
        if (row === undefined) return
        const handle = store.cards.delete(row.id)
        note(handle, [{ card: row.id, field: '$deleted', value: `deleted ${handle.id}`, saw: [] }])
        return
      }
      case 'restore': {
        const gone = restorable.filter((id) => store.cards.get(id) === undefined)
        const id = pickFrom(gone, intent.pick)
        if (id === undefined) return
        const handle = store.cards.restore(id)
        note(handle, [{ card: id, field: '$deleted', value: `restored ${handle.id}`, saw: [] }])
      }
    }
  }

  for (const intent of intents) {
    number += 1
    try {
      carry(intent)
    } catch (error) {
      throw new Error(`${author} could not ${intent.kind} (number ${number}): ${String(error)}`)
    }
  }
  return deeds
}
