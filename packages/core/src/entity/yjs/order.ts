import type { ItemId } from './update.js'

/** An item of an update, with the items that have to be there before it. */
export interface UpdateItem extends ItemId {
  readonly refersTo: readonly ItemId[]
}

/** A step of one client id that has to wait for another one. */
interface Crossing {
  readonly clock: number
  readonly to: ItemId
}

/**
 * Whether the items of an update can be brought into a document one after the other. Those of one client id follow each other;
 * those of several may refer to each other forwards and backwards, as long as none waits for itself.
 *
 * @param items by client id in the order of their clocks
 * @param known the clock up to which the document has the items of a client id
 */
export function canBeOrdered(
  items: readonly UpdateItem[],
  known: (client: number) => number,
): boolean {
  const crossings = new Map<number, Crossing[]>()
  for (const { client, clock, refersTo } of items) {
    for (const to of refersTo) {
      if (to.client === client || to.clock < known(to.client)) continue
      const steps = crossings.get(client)
      if (steps === undefined) crossings.set(client, [{ clock, to }])
      else steps.push({ clock, to })
    }
  }
  const positions = new Map<number, number>()
  const waiting = new Map<number, number[]>()
  const ready = [...crossings.keys()]
  let left = ready.length
  for (let client = ready.pop(); client !== undefined; client = ready.pop()) {
    const steps = crossings.get(client) ?? []
    const start = positions.get(client) ?? 0
    let position = start
    for (let step = steps[position]; step !== undefined; step = steps[position]) {
      const { to } = step
      const blocked = crossings.get(to.client)?.[positions.get(to.client) ?? 0]
      if (blocked !== undefined && to.clock >= blocked.clock) {
        waiting.set(to.client, [...(waiting.get(to.client) ?? []), client])
        break
      }
      position += 1
    }
    positions.set(client, position)
    if (position === steps.length) left -= 1
    if (position === start) continue
    ready.push(...(waiting.get(client) ?? []))
    waiting.delete(client)
  }
  return left === 0
}
