import type { EntityStatus } from '@tidemark/core'
import type { CardsPage } from './cards-page.js'
import { type CommittedOperation, readRelayLog } from './relay-log.js'
import type { RelayProcess } from './relay-process.js'

/** A page has just shown a card as synced: either the store said so, or the badge on the screen. */
export interface SyncedClaim {
  readonly by: 'store' | 'badge'
  readonly card: string
  /** The space sequence that the card says it was confirmed with. */
  readonly confirmedSequence: number | null
  /** Operations on the card that this page has seen in its outbox so far. */
  readonly operations: readonly string[]
}

/** What the relay's disk says against a claim; undefined when it bears it out. */
export function refute(
  { by, card, confirmedSequence, operations }: SyncedClaim,
  space: string,
  committed: ReadonlyMap<string, CommittedOperation>,
): string | undefined {
  const missing = operations.filter((id) => !committed.has(id))
  if (missing.length > 0) {
    return `The ${by} showed ${card} as synced before the relay had ${missing.join(', ')}.`
  }
  const sequences = [...committed.values()].filter((operation) => operation.space === space)
  if (!sequences.some(({ sequence }) => sequence === confirmedSequence)) {
    return `The ${by} showed ${card} as synced with sequence ${confirmedSequence}, which the relay does not have.`
  }
  return undefined
}

export interface StatusWitness {
  /** Number of claims that were checked. */
  readonly checked: number
  /** Claims that were made too early. */
  readonly premature: readonly string[]
  /** The true statuses that a card has had in this page, without repetitions. */
  history(card: string): Promise<readonly EntityStatus[]>
  /** The same as the badge showed it. */
  badgeHistory(card: string): Promise<readonly string[]>
}

interface WitnessWindow {
  claimSynced(claim: SyncedClaim): Promise<void>
  statusHistory: Record<'store' | 'badge', Record<string, string[]>>
}

/**
 * Watches a page from now on. Whenever it shows a card as synced, the claim is compared with what is on the relay's
 * disk at that moment.
 */
export async function witnessStatuses(
  cards: CardsPage,
  relay: RelayProcess,
  space: string,
): Promise<StatusWitness> {
  const premature: string[] = []
  let checked = 0
  await cards.page.exposeFunction('claimSynced', (claim: SyncedClaim) => {
    checked += 1
    const problem = refute(claim, space, readRelayLog(relay))
    if (problem !== undefined) premature.push(problem)
  })
  await cards.evaluate((store) => {
    const shared = window as unknown as WitnessWindow
    shared.statusHistory = { store: {}, badge: {} }
    const operations = new Map<string, Set<string>>()

    function note(by: 'store' | 'badge', card: string, status: string): void {
      shared.statusHistory[by][card] ??= []
      const history = shared.statusHistory[by][card]
      if (history.at(-1) === status) return
      history.push(status)
      if (status !== 'synced') return
      void shared.claimSynced({
        by,
        card,
        confirmedSequence: store.cards.get(card)?.$version.confirmedSequence ?? null,
        operations: [...(operations.get(card) ?? [])],
      })
    }

    function look(): void {
      for (const { id, entities } of store.operations.list()) {
        for (const entity of entities) {
          operations.set(entity.id, (operations.get(entity.id) ?? new Set()).add(id))
        }
      }
      for (const { id, $status } of query.current) note('store', id, $status)
    }

    function lookAtBadges(): void {
      for (const badge of document.querySelectorAll<HTMLElement>(
        '[data-testid="card"] [data-status]',
      )) {
        const card = badge.closest<HTMLElement>('[data-id]')?.dataset['id']
        if (card !== undefined) note('badge', card, badge.dataset['status'] ?? '')
      }
    }

    const query = store.cards.query()
    query.subscribe(look)
    store.operations.subscribe(look)
    new MutationObserver(lookAtBadges).observe(document.body, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: ['data-status'],
    })
    look()
    lookAtBadges()
  })

  const historyOf = (by: 'store' | 'badge', card: string): Promise<string[]> =>
    cards.page.evaluate(
      ([from, id]) => (window as unknown as WitnessWindow).statusHistory[from][id] ?? [],
      [by, card] as const,
    )
  return {
    get checked() {
      return checked
    },
    premature,
    history: async (card) => (await historyOf('store', card)) as EntityStatus[],
    badgeHistory: (card) => historyOf('badge', card),
  }
}
