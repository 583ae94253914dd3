import type * as Y from 'yjs'
import type * as zod from 'zod/v4/core'
import type {
  BlobField,
  BlobReference,
  CounterField,
  Field,
  Fields,
  ListField,
  SetField,
  TextField,
  XmlField,
} from './fields.js'
import type { Collection, Schema } from './schema.js'

/** Flattens an intersection so that editors show the fields. */
export type Expand<T> = T extends object ? { [K in keyof T]: T[K] } : T

/** What reading a field gives. A set reads as its elements in ascending order, a text or XML as a string. */
export type FieldOutput<F extends Field> = F extends { readonly kind: string }
  ? KindOutput<F>
  : F extends zod.$ZodType
    ? zod.output<F>
    : never

type KindOutput<F> =
  F extends SetField<infer Element>
    ? readonly zod.output<Element>[]
    : F extends ListField<infer Element>
      ? readonly zod.output<Element>[]
      : F extends TextField | XmlField
        ? string
        : F extends CounterField
          ? number
          : F extends BlobField<infer Optional>
            ? BlobReference | (Optional extends true ? undefined : never)
            : never

/** What `insert` takes for a field. XML is written through `open` only. */
export type FieldInput<F extends Field> = F extends { readonly kind: string }
  ? KindInput<F>
  : F extends zod.$ZodType
    ? zod.input<F>
    : never

type KindInput<F> =
  F extends SetField<infer Element>
    ? Iterable<zod.input<Element>>
    : F extends ListField<infer Element>
      ? Iterable<zod.input<Element>>
      : F extends TextField
        ? string
        : F extends CounterField
          ? number
          : F extends BlobField
            ? KindOutput<F>
            : undefined

/** Kinds that start empty. */
type StartsEmpty = SetField | ListField | TextField | XmlField | CounterField

type OptionalInputs<F extends Fields> = {
  [K in keyof F]: F[K] extends StartsEmpty ? K : undefined extends FieldInput<F[K]> ? K : never
}[keyof F]

/** What `insert` takes: required fields, and the optional ones, with an id of one's own if wanted. */
export type InsertInput<F extends Fields> = Expand<
  { readonly id?: string } & {
    readonly [K in Exclude<keyof F, OptionalInputs<F>>]: FieldInput<F[K]>
  } & { readonly [K in OptionalInputs<F>]?: FieldInput<F[K]> | undefined }
>

/** A set inside of `update`. */
export interface DraftSet<Element> extends Iterable<Element> {
  readonly size: number
  has(element: Element): boolean
  add(element: Element): void
  delete(element: Element): void
}

/** A list inside of `update`. */
export interface DraftList<Input, Output> extends Iterable<Output> {
  readonly length: number
  at(index: number): Output | undefined
  insert(index: number, ...elements: readonly Input[]): void
  push(...elements: readonly Input[]): void
  delete(index: number, count?: number): void
  /** Takes an element out and puts it where it has `to` as its index afterwards. */
  move(from: number, to: number): void
}

/** A counter inside of `update`. */
export interface DraftCounter {
  readonly value: number
  increment(by?: number): void
  decrement(by?: number): void
}

type DraftKind<F> =
  F extends SetField<infer Element>
    ? DraftSet<zod.output<Element>>
    : F extends ListField<infer Element>
      ? DraftList<zod.input<Element>, zod.output<Element>>
      : F extends TextField
        ? Y.Text
        : F extends XmlField
          ? Y.XmlFragment
          : F extends CounterField
            ? DraftCounter
            : never

/** What `update` hands to its callback: assign fields, change sets, texts, lists and counters. Only what changed is written. */
export type Draft<F extends Fields> = Expand<
  { readonly id: string } & {
    -readonly [K in keyof F as F[K] extends StartsEmpty ? never : K]: FieldInput<F[K]>
  } & {
    readonly [K in keyof F as F[K] extends StartsEmpty ? K : never]: DraftKind<F[K]>
  }
>

/** The fields of an entity as values. */
export type EntityFields<F extends Fields> = { readonly [K in keyof F]: FieldOutput<F[K]> }

export type FieldsOf<S extends Schema, Name extends keyof S['collections']> =
  S['collections'][Name] extends Collection<infer F> ? F : never
