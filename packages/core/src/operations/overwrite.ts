import type * as Y from 'yjs'
import {
  counterValue,
  DELETED_FIELD,
  type EntityView,
  SCHEMA_FIELD,
  type StorableValue,
  sameValue,
} from '../entity/index.js'
import { kindOf } from '../schema/index.js'
import { type EntityDraft, REMOVED } from './entity-draft.js'

/**
 * Writes what brings an entity to what it was, where it differs. Texts and lists change in the middle only, so that what others
 * type at their ends meanwhile stays where it belongs. XML stays as it is: a string says too little of it.
 */
export function overwrite(draft: EntityDraft, wanted: EntityView): void {
  const current = draft.view()
  const counters = Object.keys(draft.fields).filter(
    (name) => draft.fields[name] !== undefined && kindOf(draft.fields[name]) === 'counter',
  )
  const isCounter = (key: string): boolean => counters.some((name) => key.startsWith(`${name}:`))
  for (const key of new Set([...Object.keys(current.values), ...Object.keys(wanted.values)])) {
    if (key === SCHEMA_FIELD || isCounter(key)) continue
    const value = wanted.values[key]
    if (key === DELETED_FIELD) draft.assign(key, value ?? null)
    else draft.assign(key, value === undefined ? REMOVED : value)
  }
  for (const name of counters)
    draft.increment(name, counterValue(wanted, name) - counterValue(current, name))
  for (const [name, field] of Object.entries(draft.fields)) {
    const before = current.shared?.[name]
    const after = wanted.shared?.[name]
    if (kindOf(field) === 'text' && before !== after)
      overwriteText(draft.document().doc.getText(name), typeof after === 'string' ? after : '')
    if (kindOf(field) === 'list' && !sameValue(listOf(before), listOf(after)))
      overwriteList(draft.document().doc.getArray(name), listOf(after))
  }
}

function overwriteText(text: Y.Text, wanted: string): void {
  const current = text.toString()
  const { start, end } = differing(
    current.length,
    wanted.length,
    (a, b) => current[a] === wanted[b],
  )
  text.delete(start, current.length - end - start)
  text.insert(start, wanted.slice(start, wanted.length - end))
}

function overwriteList(list: Y.Array<unknown>, wanted: readonly StorableValue[]): void {
  const current = list.toArray() as StorableValue[]
  const { start, end } = differing(current.length, wanted.length, (a, b) =>
    sameValue(current[a], wanted[b]),
  )
  list.delete(start, current.length - end - start)
  list.insert(start, wanted.slice(start, wanted.length - end) as unknown[])
}

/** How much two sequences share at their starts and at their ends. */
function differing(
  current: number,
  wanted: number,
  same: (a: number, b: number) => boolean,
): { readonly start: number; readonly end: number } {
  const shorter = Math.min(current, wanted)
  let start = 0
  while (start < shorter && same(start, start)) start += 1
  let end = 0
  while (end < shorter - start && same(current - 1 - end, wanted - 1 - end)) end += 1
  return { start, end }
}

function listOf(value: unknown): readonly StorableValue[] {
  return Array.isArray(value) ? value : []
}
