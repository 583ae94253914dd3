import { useEntity, useStore } from '@tidemark/react'
import { type JSX, type SubmitEvent, useId, useState } from 'react'
import type { TagCount } from '../bookmarks/tags.js'
import { titleFromUrl, toUrl } from '../bookmarks/url.js'
import {
  type CardChange,
  type CardForm,
  type CardValues,
  changesBetween,
  EMPTY_FORM,
  findSameUrl,
  readForm,
  type TextField,
  toForm,
} from '../library/form.js'
import type { Card, CardsStore } from '../store.js'
import { Conflicts } from './conflicts.js'
import { Dialog } from './dialog.js'
import { TagField } from './tag-field.js'

interface CommonProps {
  readonly tags: readonly TagCount[]
  readonly onClose: () => void
}

export interface AddDialogProps extends CommonProps {
  /** Tags that the new card starts with: those that the list is filtered by. */
  readonly startTags: readonly string[]
  readonly onAdd: (values: CardValues) => void
}

export function AddDialog({ startTags, onAdd, ...common }: AddDialogProps): JSX.Element {
  const [form, setForm] = useState({
    ...EMPTY_FORM,
    tags: startTags.map((tag) => `${tag}, `).join(''),
  })
  return (
    <Dialog title="New bookmark" kind="panel" onClose={common.onClose}>
      <FormFields
        {...common}
        id={undefined}
        form={form}
        onForm={setForm}
        onValues={onAdd}
        submit="Add bookmark"
      />
    </Dialog>
  )
}

export interface EditDialogProps extends CommonProps {
  readonly card: Card
  readonly onChange: (change: CardChange) => void
  readonly onRemove: () => void
}

export function EditDialog({ card, onChange, onRemove, ...common }: EditDialogProps): JSX.Element {
  const { cards } = useStore<CardsStore>()
  const { data: now } = useEntity(cards, card.id)
  /** What the card was when the form was filled: changes are told apart from what others do meanwhile. */
  const [before] = useState<CardValues>(card)
  const [form, setForm] = useState(() => toForm(before))
  const [chosen, setChosen] = useState<ReadonlySet<TextField>>(new Set())

  function choose(field: TextField, value: string): void {
    setForm({ ...form, [field]: value })
    setChosen(new Set([...chosen, field]))
  }

  return (
    <Dialog title="Edit bookmark" kind="panel" onClose={common.onClose}>
      {now === undefined && (
        <p className="notice" role="status">
          This bookmark has just been deleted on another device. Saving brings it back.
        </p>
      )}
      {now !== undefined && <Conflicts card={now} form={form} onChoose={choose} />}
      <FormFields
        {...common}
        id={card.id}
        form={form}
        onForm={setForm}
        onValues={(values) => onChange(changesBetween(before, values, chosen))}
        submit="Save"
        onRemove={now === undefined ? undefined : onRemove}
      />
    </Dialog>
  )
}

/** Characters. Far below what a relay takes in one operation, and far above any note. */
const MAX_NOTE = 100_000

interface FormFieldsProps extends CommonProps {
  readonly id: string | undefined
  readonly form: CardForm
  readonly onForm: (form: CardForm) => void
  readonly onValues: (values: CardValues) => void
  readonly submit: string
  readonly onRemove?: (() => void) | undefined
}

function FormFields(props: FormFieldsProps): JSX.Element {
  const { id, form, onForm, onValues, tags, submit, onRemove, onClose } = props
  const { cards } = useStore<CardsStore>()
  const [problems, setProblems] = useState<Partial<CardForm>>({})
  const key = useId()
  const url = toUrl(form.url)
  const same = problems.url === undefined ? findSameUrl(cards.query().current, form, id) : undefined

  function change(part: Partial<CardForm>): void {
    onForm({ ...form, ...part })
    setProblems({})
  }

  function onSubmit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault()
    const read = readForm(
      form,
      tags.map(({ tag }) => tag),
    )
    if ('values' in read) {
      onValues(read.values)
      onClose()
      return
    }
    setProblems(read.problems)
    const field = Object.keys(read.problems)[0]
    event.currentTarget.querySelector<HTMLElement>(`[name="${field}"]`)?.focus()
  }

  const field = (name: 'title' | 'url') => ({
    id: `${key}-${name}`,
    name,
    value: form[name],
    autoComplete: 'off',
    'aria-invalid': problems[name] !== undefined,
    'aria-describedby': `${key}-${name}-hint`,
    onChange: (event: { target: { value: string } }) => change({ [name]: event.target.value }),
  })

  return (
    <form className="card-form" noValidate onSubmit={onSubmit}>
      <div className="field">
        <label htmlFor={`${key}-url`}>Address</label>
        <input
          {...field('url')}
          type="url"
          inputMode="url"
          spellCheck={false}
          data-autofocus={id === undefined || undefined}
        />
        <p id={`${key}-url-hint`} className="field-hint" data-problem={problems.url !== undefined}>
          {problems.url ?? (same === undefined ? '' : `You have this already: “${same.title}”.`)}
        </p>
      </div>
      <div className="field">
        <label htmlFor={`${key}-title`}>Title</label>
        <input
          {...field('title')}
          type="text"
          placeholder={url === undefined ? '' : titleFromUrl(url)}
          data-autofocus={id !== undefined || undefined}
        />
        <p
          id={`${key}-title-hint`}
          className="field-hint"
          data-problem={problems.title !== undefined}
        >
          {problems.title}
        </p>
      </div>
      <TagField value={form.tags} known={tags} onChange={(value) => change({ tags: value })} />
      <div className="field">
        <label htmlFor={`${key}-note`}>Note</label>
        <textarea
          id={`${key}-note`}
          name="note"
          rows={5}
          maxLength={MAX_NOTE}
          value={form.note}
          onChange={(event) => change({ note: event.target.value })}
        />
      </div>
      <footer className="card-form-actions">
        {onRemove !== undefined && (
          <button type="button" className="button button-danger" onClick={onRemove}>
            Delete
          </button>
        )}
        <span className="spacer" />
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="button button-primary">
          {submit}
        </button>
      </footer>
    </form>
  )
}
