import type * as zod from 'zod/v4/core'

/** A field whose value is a set of strings, merged element by element: adding twice is adding once. */
export interface SetField<Element extends zod.$ZodType<string> = zod.$ZodType<string>> {
  readonly kind: 'set'
  readonly element: Element
}

/** A text that several people can write at once, merged character by character. A root `Y.Text`. */
export interface TextField {
  readonly kind: 'text'
}

/** A sequence that several people can change at once. A root `Y.Array`. */
export interface ListField<Element extends zod.$ZodType = zod.$ZodType> {
  readonly kind: 'list'
  readonly element: Element
  /** What an element is told apart by; undefined where equal elements may stand side by side. */
  readonly identity: ((element: zod.output<Element>) => string) | undefined
}

/** A tree for rich-text editors. A root `Y.XmlFragment`. */
export interface XmlField {
  readonly kind: 'xml'
}

/** A whole number that concurrent increments all count in. */
export interface CounterField {
  readonly kind: 'counter'
}

/** A reference to a file that is stored elsewhere by its hash. */
export interface BlobField<Optional extends boolean = boolean> {
  readonly kind: 'blob'
  readonly isOptional: Optional
  /** The same field, but it may be missing. */
  optional(): BlobField<true>
}

/** What a blob field holds: enough to find the file, to show it, and to check what was found. */
export interface BlobReference {
  /** SHA-256 of the bytes, 64 lower-case hexadecimal digits. */
  readonly hash: string
  /** In bytes. */
  readonly size: number
  /** The media type, such as `image/png`. */
  readonly type: string
  /** The file's name, for people. */
  readonly name: string
}

/** Fields that live in the document itself instead of in registers. */
export type SharedField = TextField | ListField | XmlField

/** A collection's field: a zod schema (a register: the later write wins, conflicts stay visible), or one of the kinds. */
export type Field = zod.$ZodType | SetField | SharedField | CounterField | BlobField

export type Fields = Readonly<Record<string, Field>>

/** A set of strings. Concurrent adds and removes of different elements never disturb each other. */
export function set<Element extends zod.$ZodType<string>>(element: Element): SetField<Element> {
  return { kind: 'set', element }
}

/** A text that merges character by character; in `update` it is a `Y.Text`, in `open` what an editor binds to. */
export function text(): TextField {
  return { kind: 'text' }
}

/**
 * A list of plain values. With `unique` an element is there once, also after two devices moved it at once: `true` tells elements
 * apart by their `id`, or by themselves where they have none; a function by what it gives. Of two equal ones the first shows.
 */
export function list<Element extends zod.$ZodType>(
  element: Element,
  options: { readonly unique?: boolean | ((element: zod.output<Element>) => string) } = {},
): ListField<Element> {
  const { unique = false } = options
  const identity = typeof unique === 'function' ? unique : unique ? ownIdentity : undefined
  return { kind: 'list', element, identity }
}

function ownIdentity(element: unknown): string {
  const hasId = typeof element === 'object' && element !== null && 'id' in element
  return JSON.stringify(hasId ? element.id : element)
}

/** A tree of XML elements and formatted text, for editors such as ProseMirror; changed through `open`. */
export function xml(): XmlField {
  return { kind: 'xml' }
}

/** A whole number that starts at 0 and is changed by `increment` and `decrement`, all of which count. */
export function counter(): CounterField {
  return { kind: 'counter' }
}

/** A reference to a file by its hash. */
export function blob(): BlobField<false> {
  return blobField(false)
}

function blobField<Optional extends boolean>(isOptional: Optional): BlobField<Optional> {
  return { kind: 'blob', isOptional, optional: () => blobField(true) }
}

const KINDS = ['set', 'text', 'list', 'xml', 'counter', 'blob'] as const

export type FieldKind = (typeof KINDS)[number] | 'value'

/** Which kind a field is; `value` for a zod schema. */
export function kindOf(field: Field): FieldKind {
  if (!('kind' in field)) return 'value'
  return KINDS.find((kind) => kind === field.kind) ?? 'value'
}

export function isSetField(field: Field): field is SetField {
  return kindOf(field) === 'set'
}

export function isListField(field: Field): field is ListField {
  return kindOf(field) === 'list'
}

export function isBlobField(field: Field): field is BlobField {
  return kindOf(field) === 'blob'
}

/** A field whose value is one register, written as a whole. */
export function isRegisterField(field: Field): field is zod.$ZodType | BlobField {
  const kind = kindOf(field)
  return kind === 'value' || kind === 'blob'
}
