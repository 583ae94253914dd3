import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'

export type OwnedProcess = ChildProcessByStdio<null, Readable, Readable>

const running = new Set<OwnedProcess>()

/** Starts a program that doesn't outlive this process, however this process ends. */
export function spawnOwned(command: string, args: readonly string[]): OwnedProcess {
  watchOwnEnd()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: false })
  running.add(child)
  child.once('close', () => running.delete(child))
  return child
}

/** Sends a signal and waits until the process is gone. */
export async function endProcess(child: OwnedProcess, signal: NodeJS.Signals): Promise<void> {
  if (!running.has(child)) return
  const closed = once(child, 'close')
  child.kill(signal)
  await closed
}

let watching = false

function watchOwnEnd(): void {
  if (watching) return
  watching = true
  process.once('exit', killAll)
  // The test runner talks to its workers over a channel. When it closes, the runner is gone, and so is everything else;
  // browsers end with the pipe that they are driven through.
  process.once('disconnect', () => {
    killAll()
    process.kill(process.pid, 'SIGKILL')
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      killAll()
      process.kill(process.pid, signal)
    })
  }
}

function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}
