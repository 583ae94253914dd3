import type { JSX } from 'react'
import type { CardForm, TextField } from '../library/form.js'
import type { Card } from '../store.js'

export interface ConflictsProps {
  readonly card: Card
  readonly form: CardForm
  /** Puts a value into the form; saving it settles the conflict. */
  readonly onChoose: (field: TextField, value: string) => void
}

const FIELDS = [
  ['title', 'title'],
  ['url', 'address'],
  ['note', 'note'],
] as const

/** What was written in two places without knowing of each other, to choose from. */
export function Conflicts({ card, form, onChoose }: ConflictsProps): JSX.Element | null {
  const fields = FIELDS.filter(([field]) => (card.$conflicts[field]?.length ?? 0) > 1)
  if (fields.length === 0) return null
  return (
    <section className="notice" aria-label="Changed in two places">
      {fields.map(([field, label]) => (
        <div key={field} className="conflict">
          <p>The {label} was changed in two places. Choose one, or write a third:</p>
          <ul>
            {card.$conflicts[field]?.map(({ value, user, actor, lastModified }) => (
              <li key={actor}>
                <button
                  type="button"
                  className="conflict-value"
                  aria-pressed={form[field] === String(value ?? '')}
                  onClick={() => onChoose(field, String(value ?? ''))}
                >
                  <span>{String(value ?? '') || 'nothing'}</span>
                  <small>
                    {user}, {when(lastModified)}
                  </small>
                </button>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  )
}

const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

function when(microseconds: number): string {
  return format.format(microseconds / 1000)
}
