import type { SeededRandom } from '../simulation/random.js'

/** What somebody is about to do. Which card it concerns is decided in the page, among those that are there then. */
export type Intent =
  | { readonly kind: 'insert'; readonly id: string; readonly marker: string }
  /** One operation on one card, or one on two. */
  | { readonly kind: 'retitle'; readonly picks: readonly number[]; readonly marker: string }
  | { readonly kind: 'tag'; readonly pick: number; readonly marker: string }
  | { readonly kind: 'untag'; readonly pick: number }
  | { readonly kind: 'delete'; readonly pick: number }
  | { readonly kind: 'restore'; readonly pick: number }

/** Everybody may delete it and nobody brings it back. */
export const DOOMED = 'doomed'
/** Made by both of them in ignorance of each other. */
export const TWIN = 'twin'

/** Names a card that only `keeper` may delete and restore, so that it is plain what has to become of it. */
export function keptBy(keeper: string, number: number): string {
  return `${keeper}-${number}`
}

/** Thinks of things to do for one person. Every value is used once, by this person only. */
export interface Whims {
  insert(id: string): Intent
  some(count: number): readonly Intent[]
}

export function createWhims(author: string, random: SeededRandom): Whims {
  let count = 0
  const marker = (): string => {
    count += 1
    return `${author}:${count}`
  }

  function one(): Intent {
    const pick = random.unit()
    const dice = random.below(20)
    if (dice < 8) return { kind: 'retitle', picks: [pick], marker: marker() }
    if (dice < 10) return { kind: 'retitle', picks: [pick, random.unit()], marker: marker() }
    if (dice < 12) return { kind: 'insert', id: keptBy(author, count + 1), marker: marker() }
    if (dice < 15) return { kind: 'tag', pick, marker: marker() }
    if (dice < 16) return { kind: 'untag', pick }
    return { kind: dice < 18 ? 'delete' : 'restore', pick }
  }

  return {
    insert: (id) => ({ kind: 'insert', id, marker: marker() }),
    some: (length) => Array.from({ length }, one),
  }
}
