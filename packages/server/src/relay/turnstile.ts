/**
 * Lets frames through one after the other. While something is awaited that the next ones depend on, they wait in their
 * order, up to a bound.
 */
export interface Turnstile {
  pass(frame: Uint8Array): void
  /** Holds back what follows until `work` is done; it never rejects. */
  hold(work: Promise<void>): void
}

export interface TurnstileOptions {
  handle(frame: Uint8Array): void
  /** More waits than may; nothing of what waits is handled any more. Doesn't throw. */
  overflow(): void
  readonly maxFrames: number
  readonly maxBytes: number
}

export function createTurnstile(options: TurnstileOptions): Turnstile {
  const queue: Uint8Array[] = []
  let bytes = 0
  let holds = 0

  function release(): void {
    holds -= 1
    for (;;) {
      const frame = holds === 0 ? queue.shift() : undefined
      if (frame === undefined) return
      bytes -= frame.length
      options.handle(frame)
    }
  }

  return {
    pass(frame) {
      if (holds === 0) return options.handle(frame)
      bytes += frame.length
      queue.push(frame)
      if (queue.length <= options.maxFrames && bytes <= options.maxBytes) return
      queue.length = 0
      bytes = 0
      options.overflow()
    },
    hold(work) {
      holds += 1
      void work.then(release)
    },
  }
}
