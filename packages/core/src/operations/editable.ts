import { counterValue, frozen, setElements } from '../entity/index.js'
import {
  type BlobField,
  type FieldKind,
  isListField,
  isRegisterField,
  isSetField,
  kindOf,
  parseValue,
  type SetField,
} from '../schema/index.js'
import { editableList } from './editable-list.js'
import { type EntityDraft, REMOVED } from './entity-draft.js'
import { elementKey, wholeNumber } from './field-values.js'
import { unfit, unknownField } from './refusals.js'

/** The object that `update` hands out: reading gives the value so far, assigning checks and notes it. */
export function editable(draft: EntityDraft): { readonly proxy: object; revoke(): void } {
  return Proxy.revocable(
    {},
    {
      get: (_target, name) => (typeof name === 'string' ? read(draft, name) : undefined),
      set(_target, name, value) {
        assign(draft, String(name), value)
        return true
      },
      deleteProperty(_target, name) {
        assign(draft, String(name), undefined)
        return true
      },
      has: (_target, name) =>
        name === 'id' || (typeof name === 'string' && Object.hasOwn(draft.fields, name)),
      ownKeys: () => ['id', ...Object.keys(draft.fields)],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    },
  )
}

function read(draft: EntityDraft, name: string): unknown {
  if (name === 'id') return draft.ref.id
  const field = Object.hasOwn(draft.fields, name) ? draft.fields[name] : undefined
  if (field === undefined) return undefined
  if (isSetField(field)) return editableSet(draft, name, field)
  if (isListField(field)) return editableList(draft, name, field)
  switch (kindOf(field)) {
    case 'text':
      return draft.document().doc.getText(name)
    case 'xml':
      return draft.document().doc.getXmlFragment(name)
    case 'counter':
      return editableCounter(draft, name)
    default:
      return frozen(draft.value(name))
  }
}

function assign(draft: EntityDraft, name: string, value: unknown): void {
  const { collection } = draft.ref
  const field = Object.hasOwn(draft.fields, name) ? draft.fields[name] : undefined
  if (field === undefined) throw unknownField(collection, draft.fields, name)
  const path = [collection, name]
  if (!isRegisterField(field)) {
    throw unfit(
      path,
      `is a ${kindOf(field)}. Change it with ${METHODS[kindOf(field)]}, so that others' changes to it stay.`,
    )
  }
  draft.assign(name, parseValue(field as Exclude<typeof field, BlobField>, value, path))
}

/** How a field is changed that isn't assigned. */
const METHODS: Readonly<Partial<Record<FieldKind, string>>> = {
  set: 'add() and delete()',
  list: 'insert(), push(), move() and delete()',
  text: 'insert() and delete()',
  xml: 'the methods of its Y.XmlFragment',
  counter: 'increment() and decrement()',
}

function editableSet(draft: EntityDraft, name: string, field: SetField): object {
  const path = [draft.ref.collection, name]
  const elements = (): string[] => setElements(draft.view(), name)
  /** As it is there; else as the schema would have it, which may convert what is added. */
  const keyOfKnown = (element: unknown): string => {
    const own = `${name}:${String(element)}`
    if (draft.value(own) !== undefined) return own
    try {
      return elementKey(path, name, field, element)
    } catch {
      return own
    }
  }
  return {
    get size() {
      return elements().length
    },
    has: (element: unknown) => draft.value(keyOfKnown(element)) !== undefined,
    add(element: unknown) {
      draft.assign(elementKey(path, name, field, element), true)
    },
    delete(element: unknown) {
      draft.assign(keyOfKnown(element), REMOVED)
    },
    [Symbol.iterator]: () => elements()[Symbol.iterator](),
  }
}

function editableCounter(draft: EntityDraft, name: string): object {
  const path = [draft.ref.collection, name]
  return {
    get value() {
      return counterValue(draft.view(), name)
    },
    increment: (by: unknown = 1) => draft.increment(name, wholeNumber(path, by)),
    decrement: (by: unknown = 1) => draft.increment(name, -wholeNumber(path, by)),
  }
}
