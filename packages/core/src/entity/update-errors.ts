import { TidemarkError } from '../errors.js'

/** What no honest client makes. */
export function invalid(what: string): TidemarkError {
  return new TidemarkError(
    'update-invalid',
    `The update has ${what}. No honest client makes it; it had no effect.`,
  )
}

/** What may become valid once its predecessor has arrived [L20]. */
export function gap(what: string): TidemarkError {
  return new TidemarkError(
    'update-gap',
    `The update ${what}. Its predecessor must come first; it had no effect.`,
  )
}
