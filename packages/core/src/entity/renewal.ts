import { counterKey, type Element, registerRoot, toElement, toValue } from './register-log.js'
import { compareStamps } from './stamp.js'
import { decodeRuns, encodeAppend } from './yjs/index.js'

export interface RenewedDocument {
  readonly update: Uint8Array
  /** How many items it has, all of `client`. */
  readonly items: number
}

/**
 * The same values in a new document, written by one client id: without the tombstones and the client ids that have gathered
 * in the old one [L16]. Stamps and conflicts stay; a counter becomes one register [L5].
 *
 * @param change what becomes of each live element; undefined leaves it out
 * @returns undefined for a document with text, lists or XML: others may be about to write next to any item of those
 */
export function renewDocument(
  bytes: Uint8Array,
  client: number,
  change: (element: Element) => Element | undefined = (element) => element,
): RenewedDocument | undefined {
  const { runs, shared, isDeleted } = decodeRuns(bytes, registerRoot)
  if (shared) return undefined
  const elements: Element[] = []
  for (const run of runs) {
    for (const [offset, value] of run.values.entries()) {
      const element = isDeleted(run.client, run.clock + offset) ? undefined : toElement(value)
      const changed = element && change(element)
      if (changed !== undefined) elements.push(changed)
    }
  }
  const values = foldCounters(elements, client).sort(compareStamps).map(toValue)
  const append = { client, clock: 0, root: registerRoot(client), tail: undefined, values }
  return { update: encodeAppend(append, []), items: values.length }
}

/** `field:client` with a number in it is a counter's register; the elements of sets hold `true`. */
function foldCounters(elements: readonly Element[], client: number): Element[] {
  const sums = new Map<string, Element>()
  const others: Element[] = []
  for (const element of elements) {
    const field = counterFieldOf(element)
    if (field === undefined) {
      others.push(element)
      continue
    }
    const sum = sums.get(field)
    const later = sum === undefined || compareStamps(element, sum) > 0 ? element : sum
    sums.set(field, {
      ...later,
      field: counterKey(field, client),
      value: Number(sum?.value ?? 0) + Number(element.value),
      sequence: Math.max(element.sequence, sum?.sequence ?? 0),
    })
  }
  return [...others, ...sums.values()]
}

/**
 * The counter that an element counts for. What a migration counted stays by itself: another device may be writing the very
 * same.
 */
export function counterFieldOf({ field, value }: Element): string | undefined {
  const colon = field.indexOf(':')
  if (colon < 0 || typeof value !== 'number' || field[colon + 1] === '$') return undefined
  return field.slice(0, colon)
}
