import { TidemarkError } from '../../errors.js'

/**
 * Runs something that reads foreign bytes. Yjs and lib0 throw errors of all kinds at what is truncated, flipped or hostile;
 * whoever goes on has one to tell from everything else.
 *
 * @throws TidemarkError `corrupt`
 */
export function readable<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof TidemarkError) throw cause
    throw new TidemarkError(
      'corrupt',
      'The bytes of a document can not be read: they are damaged or no update of Yjs. Nothing of them was taken over.',
      { cause },
    )
  }
}
