import { onTestFinished } from 'vitest'

/** Collects the messages of uncaught errors of this test instead of letting them fail the run. */
export function uncaughtErrors(): string[] {
  const messages: string[] = []
  const others = process.listeners('uncaughtException')
  const collect = (error: Error): void => {
    messages.push(error.message)
  }
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', collect)
  onTestFinished(() => {
    process.removeListener('uncaughtException', collect)
    for (const listener of others) process.on('uncaughtException', listener)
  })
  return messages
}
