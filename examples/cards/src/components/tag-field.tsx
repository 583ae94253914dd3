import { type FocusEvent, type JSX, useId, useRef } from 'react'
import { mostUsed, type TagCount, toTag, toTags } from '../bookmarks/tags.js'

export interface TagFieldProps {
  /** As typed: tags between commas. */
  readonly value: string
  readonly onChange: (value: string) => void
  readonly known: readonly TagCount[]
}

const SUGGESTIONS = 6

/** Tags in one text field, with buttons for those that fit what is being typed. */
export function TagField({ value, onChange, known }: TagFieldProps): JSX.Element {
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  const comma = value.lastIndexOf(',')
  const done = value.slice(0, comma + 1)
  const typed = toTag(value.slice(comma + 1)).toLocaleLowerCase()
  const present = new Set(toTags(value).map((tag) => tag.toLocaleLowerCase()))
  const suggestions = mostUsed(
    known.filter(({ tag }) => {
      const name = tag.toLocaleLowerCase()
      return name.includes(typed) && !present.has(name)
    }),
    SUGGESTIONS,
  )

  function take(tag: string): void {
    onChange(`${done === '' ? '' : `${done.trim()} `}${tag}, `)
    field.current?.focus()
  }

  /** Ready for one more tag, instead of with everything selected for the next key to overwrite. */
  function onFocus(event: FocusEvent<HTMLInputElement>): void {
    const { target, relatedTarget } = event
    const comesBack = Boolean(relatedTarget?.closest('.suggestions'))
    if (!comesBack && typed !== '') onChange(`${value.trim()}, `)
    requestAnimationFrame(() => target.setSelectionRange(target.value.length, target.value.length))
  }

  return (
    <div className="field">
      <label htmlFor={id}>Tags</label>
      <input
        ref={field}
        id={id}
        type="text"
        autoComplete="off"
        autoCapitalize="none"
        aria-describedby={`${id}-hint`}
        value={value}
        onFocus={onFocus}
        onChange={(event) => onChange(event.target.value)}
      />
      <p id={`${id}-hint`} className="field-hint">
        Separate them with commas.
      </p>
      {suggestions.length > 0 && (
        <ul className="suggestions" aria-label="Suggestions">
          {suggestions.map(({ tag }) => (
            <li key={tag}>
              <button
                type="button"
                className="chip"
                aria-label={`Add the tag ${tag}`}
                onClick={() => take(tag)}
              >
                {tag}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
