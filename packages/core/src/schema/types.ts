import type * as zod from 'zod/v4/core'
import type { Field, Fields, SetField } from './fields.js'
import type { Collection, Schema } from './schema.js'

/** Flattens an intersection so that editors show the fields. */
export type Expand<T> = T extends object ? { [K in keyof T]: T[K] } : T

/** What reading a field gives. A set reads as its elements in ascending order. */
export type FieldOutput<F extends Field> =
  F extends SetField<infer Element>
    ? readonly zod.output<Element>[]
    : F extends zod.$ZodType
      ? zod.output<F>
      : never

/** What writing a field takes. */
export type FieldInput<F extends Field> =
  F extends SetField<infer Element>
    ? Iterable<zod.input<Element>>
    : F extends zod.$ZodType
      ? zod.input<F>
      : never

type OptionalInputs<F extends Fields> = {
  [K in keyof F]: F[K] extends SetField ? K : undefined extends FieldInput<F[K]> ? K : never
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

/** What `update` hands to its callback: assign fields, change sets. Only what changed is written. */
export type Draft<F extends Fields> = Expand<
  { readonly id: string } & {
    -readonly [K in keyof F as F[K] extends SetField ? never : K]: FieldInput<F[K]>
  } & {
    readonly [K in keyof F as F[K] extends SetField ? K : never]: F[K] extends SetField<
      infer Element
    >
      ? DraftSet<zod.output<Element>>
      : never
  }
>

/** The fields of an entity as values. */
export type EntityFields<F extends Fields> = { readonly [K in keyof F]: FieldOutput<F[K]> }

export type FieldsOf<S extends Schema, Name extends keyof S['collections']> =
  S['collections'][Name] extends Collection<infer F> ? F : never
