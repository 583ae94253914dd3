/**
 * Which names may appear in entities and on the wire. Checked when written here and again by the relay:
 * a name becomes a storage key, a property and part of a log line, so it holds nothing that could act
 * there (reliability S20, S25).
 */

/** User ids: visible ASCII without the slash that separates the parts of an actor. */
export const USER_ID: RegExp = /^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$/

export const SPACE_NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

export const COLLECTION_NAME: RegExp = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

export const ENTITY_ID: RegExp = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/

const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

/** `field`, or `field:element` for an element of a set, or one of ours that begin with `$`. */
const REGISTER_KEY = /^(?:\$deleted|\$schema|[A-Za-z][A-Za-z0-9_]{0,63}(?::[\s\S]{0,512})?)$/

const TRAPS = new Set(['__proto__', 'constructor', 'prototype'])

export function isRegisterKey(key: string): boolean {
  return REGISTER_KEY.test(key) && !TRAPS.has(key)
}

/** What a field may be called, and so the root type of a text, a list or XML. */
export function isFieldName(name: string): boolean {
  return FIELD_NAME.test(name) && !TRAPS.has(name)
}
