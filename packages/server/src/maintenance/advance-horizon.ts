import type { MaintenanceStorage } from '../storage/index.js'

/** Tombstones that are looked at in one go. */
const PAGE = 256

/**
 * Moves the purge horizon of a space to its head, so that every device that was there before reads the space anew and drops
 * what it doesn't find [L23]. Devices drop tombstones up to the horizon; those that the relay still has come behind it.
 *
 * Only inside of a transaction.
 */
export async function advanceHorizon(
  { statements: { transaction: tx } }: MaintenanceStorage,
  space: string,
): Promise<void> {
  const horizon = await tx.takeSequence(space)
  await tx.setHorizon(space, horizon)
  for (;;) {
    const tombstones = await tx.tombstones(space, PAGE)
    const before = tombstones.filter(({ sequence }) => sequence <= horizon)
    for (const { ref } of before) {
      const head = await tx.entityHead(space, ref)
      if (head !== undefined)
        await tx.putEntityHead(space, ref, { ...head, sequence: await tx.takeSequence(space) })
    }
    if (before.length < PAGE) return
  }
}
