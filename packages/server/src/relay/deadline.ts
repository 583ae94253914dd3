import type { Clock } from '@tidemark/core'

/** What a promise gives, if it does so in time. What comes later is ignored. @throws Error when it does not */
export function within<T>(clock: Clock, milliseconds: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(
      () => reject(new Error(`no answer within ${milliseconds} ms`)),
      milliseconds,
    )
    promise.then(resolve, reject).finally(cancel)
  })
}
