/**
 * The identity of one life of an entity's document [L16]: `<life>` or `<life>.<random>`.
 *
 * The number counts how often the entity was made: it is made again by an insertion over its tombstone, and nothing of
 * its former life gets into the new one [L23]. Two devices that make it at once mean the same life and merge. What follows the
 * dot tells documents of one life apart: the same values in a new document that has shed its history.
 */
export const GENERATION: RegExp = /^(?:0|[1-9]\d{0,8})(?:\.[0-9a-z]{1,16})?$/

/** The life that every entity begins with; two devices may make one id offline and merge. */
export const FIRST_GENERATION = '0'

export function lifeOf(generation: string): number {
  return Number.parseInt(generation, 10)
}

/** The life after the one that `generation` belongs to. */
export function nextLife(generation: string): string {
  return String(lifeOf(generation) + 1)
}

/** Another document of the same life. */
export function renewedGeneration(generation: string, random: string): string {
  return `${lifeOf(generation)}.${random}`
}
