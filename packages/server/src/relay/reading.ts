/** Stops reading from a link while any of several reasons holds: what isn't read waits at the sender. */
export interface Reading {
  hold(reason: string): void
  release(reason: string): void
}

export interface Pausable {
  pause?(): void
  resume?(): void
}

export function createReading(link: Pausable): Reading {
  const reasons = new Set<string>()
  return {
    hold(reason) {
      if (reasons.size === 0) link.pause?.()
      reasons.add(reason)
    },
    release(reason) {
      if (reasons.delete(reason) && reasons.size === 0) link.resume?.()
    },
  }
}
