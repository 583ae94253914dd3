import { type BrowserContext, type ConsoleMessage, chromium, type Page } from 'playwright-core'
import { chromiumFlags, findChromium } from './find-chromium.js'
import { removeFolder, temporaryFolder } from './repository.js'

/** One person's browser: a Chromium with a folder of its own, which it finds again after a restart or a crash. */
export interface BrowserProfile {
  readonly name: string
  /** Errors that pages wrote to the console or didn't catch, in all lives of the browser. */
  readonly problems: readonly string[]
  newPage(): Promise<Page>
  /** Quits the browser as a person does. */
  close(): Promise<void>
  /** Ends all of its processes with SIGKILL. */
  kill(): Promise<void>
  /** Looks for its processes now, and gives a `kill` that loses no time. */
  armKill(): Promise<() => Promise<void>>
  /** Stops its pages as a browser does to save memory: nothing in them runs, their sockets stay open. Undone by `thaw`. */
  freeze(): Promise<void>
  thaw(): void
  /** Starts it again on the same folder. */
  open(): Promise<void>
  /** Ends it for good and deletes its folder. */
  dispose(): Promise<void>
}

interface Running {
  readonly context: BrowserContext
  readonly ended: Promise<void>
}

export async function openProfile(name: string): Promise<BrowserProfile> {
  const folder = temporaryFolder(`profile-${name}`)
  const problems: string[] = []
  let running: Running | undefined
  let frozen: readonly number[] = []

  async function open(): Promise<void> {
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: findChromium(),
      args: [...chromiumFlags],
      viewport: { width: 1280, height: 800 },
    })
    const ended = new Promise<void>((resolve) => context.once('close', () => resolve()))
    context.on('console', (message) => {
      if (message.type() === 'error') problems.push(describe(message))
    })
    context.on('weberror', (error) => problems.push(`uncaught: ${error.error().stack}`))
    running = { context, ended }
  }

  function requireRunning(): Running {
    if (running === undefined) throw new Error(`The browser of ${name} is not open.`)
    return running
  }

  function thaw(): void {
    for (const pid of frozen) signalProcess(pid, 'SIGCONT')
    frozen = []
  }

  async function close(): Promise<void> {
    thaw()
    await running?.context.close()
    running = undefined
  }

  async function armKill(): Promise<() => Promise<void>> {
    const { context, ended } = requireRunning()
    const processes = await processesOf(context)
    return async () => {
      for (const pid of processes) signalProcess(pid, 'SIGKILL')
      await ended
      running = undefined
    }
  }

  await open()
  return {
    name,
    problems,
    newPage: () => requireRunning().context.newPage(),
    close,
    kill: async () => (await armKill())(),
    armKill,
    async freeze() {
      frozen = await processesOf(requireRunning().context, 'renderer')
      for (const pid of frozen) signalProcess(pid, 'SIGSTOP')
    },
    thaw,
    open,
    async dispose() {
      await close()
      removeFolder(folder)
    },
  }
}

/** The browser process comes first: it would report the end of the others. */
async function processesOf(context: BrowserContext, type?: string): Promise<number[]> {
  const session = await context.browser()?.newBrowserCDPSession()
  if (session === undefined) throw new Error('This browser can’t be asked for its processes.')
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  return processInfo
    .filter((info) => type === undefined || info.type === type)
    .sort((a, b) => Number(b.type === 'browser') - Number(a.type === 'browser'))
    .map(({ id }) => id)
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It went together with the browser process.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function describe(message: ConsoleMessage): string {
  return `${message.text()} (${message.location().url})`
}
