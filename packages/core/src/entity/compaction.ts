import { registerRoot } from './register-log.js'
import { compactDocument, compactRegisters } from './yjs/index.js'

/** Merges updates, each on top of those before, and forgets what was deleted [L17]; undefined where there is more than registers. */
export function mergeRegisters(updates: readonly Uint8Array[]): Uint8Array | undefined {
  return compactRegisters(updates, registerRoot)
}

/**
 * The same document in as few bytes as Yjs can: merging alone keeps what was deleted [L17].
 *
 * @throws TidemarkError `corrupt`
 */
export function compactUpdate(update: Uint8Array): Uint8Array {
  return mergeRegisters([update]) ?? compactDocument(update)
}
