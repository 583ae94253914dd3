import type { OperationInfo } from '@tidemark/core'
import { useOperations, useStore } from '@tidemark/react'
import type { JSX } from 'react'
import type { CardsStore } from '../store.js'
import { Icon } from './icons.js'

/** How many are listed one by one. */
const LISTED = 20

/** What the relay refused: each with the reason, to send again or to let go. */
export function FailedChanges(): JSX.Element | null {
  const { operations, retry, discard } = useOperations()
  const store = useStore<CardsStore>()
  const failed = operations.filter(({ state }) => state === 'failed')
  if (failed.length === 0) return null

  // Another tab may have done the same just before: then there is nothing left to do.
  const settle = (act: typeof retry, operations: readonly OperationInfo[]) => {
    for (const { id } of operations) act(id).catch(() => {})
  }
  return (
    <section className="failed" role="alert" data-testid="failed-changes">
      <header>
        <Icon name="warning" />
        <h2>
          {failed.length === 1
            ? 'One change wasn’t accepted'
            : `${failed.length} changes weren’t accepted`}
        </h2>
        {failed.length > 1 && (
          <>
            <button type="button" className="button" onClick={() => settle(retry, failed)}>
              Retry all
            </button>
            <button type="button" className="button" onClick={() => settle(discard, failed)}>
              Discard all
            </button>
          </>
        )}
      </header>
      <ul>
        {failed.slice(0, LISTED).map((operation) => (
          <li key={operation.id}>
            <p>
              <b>{nameOf(operation, store)}</b>
              <span>{operation.lastError?.message ?? 'The relay gave no reason.'}</span>
            </p>
            <button type="button" className="button" onClick={() => settle(retry, [operation])}>
              Retry
            </button>
            <button type="button" className="button" onClick={() => settle(discard, [operation])}>
              Discard
            </button>
          </li>
        ))}
      </ul>
      {failed.length > LISTED && <p>… and {failed.length - LISTED} more.</p>}
    </section>
  )
}

function nameOf({ entities, values }: OperationInfo, store: CardsStore): string {
  const written = values[0]?.['title']
  if (typeof written === 'string') return written
  return store.cards.get(entities[0]?.id ?? '')?.title ?? 'A deleted bookmark'
}
