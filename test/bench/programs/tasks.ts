/** Resolves in a task of its own, after everything that the task before has set off; the same in a page and in Node. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}

/** Does something `count` times, `perTask` of them without a break. */
export async function inTasks(
  count: number,
  perTask: number,
  work: (index: number) => void,
): Promise<void> {
  for (let index = 0; index < count; index++) {
    work(index)
    if ((index + 1) % perTask === 0) await nextTask()
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** A benchmark that didn't do its work has measured nothing. */
export function verify(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`The benchmark went wrong: ${what}.`)
}
