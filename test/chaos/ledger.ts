import { createModel } from '../simulation/model.js'
import type { CardSnapshot } from '../support/cards-page.js'
import type { CommittedOperation } from '../support/relay-log.js'
import type { Deed } from './perform.js'

/** A card as it must be: any of the values may be the one that shows. */
export interface ExpectedCard {
  readonly id: string
  readonly titles: ReadonlySet<string>
  readonly notes: ReadonlySet<string>
  readonly tags: readonly string[]
  readonly deleted: boolean
}

/** Everything that anybody did in one space, and what has to come of it. Knows nothing of the product's code. */
export interface Ledger {
  /** How many operations were made. */
  readonly operations: number
  add(deeds: readonly Deed[]): void
  /** These operations are on their author's disk: from now on nothing may lose them. */
  saved(operations: readonly string[]): void
  /** Cards that this person deleted, safely. */
  deletedBy(keeper: string): readonly string[]
  /** Cards whose creation the relay accepted. */
  cardsMade(accepted: readonly CommittedOperation[]): readonly string[]
  /** What is wrong with what the relay accepted; empty when nothing is. */
  compareOperations(accepted: readonly CommittedOperation[]): readonly string[]
  /** What is wrong with what a browser shows; empty when nothing is. */
  compareCards(
    accepted: readonly CommittedOperation[],
    shown: readonly CardSnapshot[],
    options: { readonly restored: boolean },
  ): readonly string[]
}

export function createLedger(): Ledger {
  const model = createModel()
  const deeds: Deed[] = []
  const safe = new Set<string>()

  function expectedCards(accepted: ReadonlySet<string>): Map<string, ExpectedCard> {
    const live = model.liveValues(accepted)
    const cards = new Map<string, ExpectedCard>()
    for (const { card, field, operation } of deeds) {
      if (field !== 'note' || !accepted.has(operation)) continue
      const tags = deeds.filter(
        (deed) => deed.card === card && live.get(`${card}.${deed.field}`)?.has(deed.value),
      )
      cards.set(card, {
        id: card,
        titles: live.get(`${card}.title`) ?? new Set(),
        notes: live.get(`${card}.note`) ?? new Set(),
        tags: tags
          .flatMap((deed) => (deed.field === `tags:${deed.value}` ? [deed.value] : []))
          .sort(),
        deleted: lastPresence(card, accepted)?.startsWith('deleted') ?? false,
      })
    }
    return cards
  }

  /** One person alone deletes and restores a card, or else it is only ever deleted. */
  function lastPresence(card: string, accepted: ReadonlySet<string>): string | undefined {
    return deeds.findLast(
      (deed) => deed.card === card && deed.field === '$deleted' && accepted.has(deed.operation),
    )?.value
  }

  return {
    get operations() {
      return new Set(deeds.map(({ operation }) => operation)).size
    },
    add(more) {
      deeds.push(...more)
      for (const { card, ...write } of more) model.write({ entity: card, ...write })
    },
    saved(operations) {
      for (const id of operations) safe.add(id)
    },
    deletedBy(keeper) {
      const own = deeds.filter(
        ({ card, field, operation }) =>
          card.startsWith(`${keeper}-`) && field === '$deleted' && safe.has(operation),
      )
      return [...new Set(own.map(({ card }) => card))].sort()
    },
    cardsMade: (accepted) => [...expectedCards(new Set(accepted.map(({ id }) => id))).keys()],
    compareOperations(accepted) {
      const known = new Set(deeds.map(({ operation }) => operation))
      const ids = new Set(accepted.map(({ id }) => id))
      return [
        ...[...safe].filter((id) => !ids.has(id)).map((id) => `${id} was saved and is lost`),
        ...[...ids].filter((id) => !known.has(id)).map((id) => `nobody made ${id}`),
        ...accepted
          .filter(({ sequence }, index) => sequence !== index + 1)
          .map(({ id, sequence }) => `${id} has sequence ${sequence}, which leaves a gap`),
      ]
    },
    compareCards(accepted, shown, { restored }) {
      const expected = expectedCards(new Set(accepted.map(({ id }) => id)))
      const problems: string[] = []
      const seen = new Set<string>()
      for (const card of shown) {
        if (seen.has(card.id)) problems.push(`${card.id} is there twice`)
        seen.add(card.id)
        const wanted = expected.get(card.id)
        if (wanted === undefined) problems.push(`nobody made card ${card.id}`)
        else problems.push(...differences(wanted, card))
      }
      for (const { id, deleted } of expected.values()) {
        const wanted = restored || !deleted
        if (wanted && !seen.has(id)) problems.push(`${id} is missing`)
        if (!wanted && seen.has(id)) problems.push(`${id} is back although it was deleted`)
      }
      return problems
    },
  }
}

function differences(expected: ExpectedCard, shown: CardSnapshot): string[] {
  const problems: string[] = []
  const [wanted, found] = [[...expected.titles].sort(), [...shown.titles].sort()]
  if (wanted.join() !== found.join()) {
    problems.push(`${shown.id} has the titles ${found.join()} instead of ${wanted.join()}`)
  }
  if (shown.title !== shown.titles[0]) problems.push(`${shown.id} does not show its first title`)
  if (!expected.notes.has(shown.note)) problems.push(`${shown.id} has the note ${shown.note}`)
  if (expected.tags.join() !== shown.tags.join()) {
    problems.push(
      `${shown.id} has the tags ${shown.tags.join()} instead of ${expected.tags.join()}`,
    )
  }
  if (shown.status !== 'synced') problems.push(`${shown.id} is ${shown.status}`)
  return problems
}
