import { join } from 'node:path'
import { findFreePort } from '../support/free-port.js'
import { type RelayProcess, startRelay } from '../support/relay-process.js'
import { removeFolder, temporaryFolder } from '../support/repository.js'
import { type BenchBrowser, openBrowser } from './browser.js'
import { inNode, startInNode } from './node-program.js'

/** What benchmarks run on; made when first asked for, shared by all of them. */
export interface Surroundings {
  /** Whether it may take longer. */
  readonly isFull: boolean
  browser(): Promise<BenchBrowser>
  /** A file with the disk of a Node replica on which all items are confirmed. */
  disk(): Promise<string>
  /** Databases in the browser on which all items are confirmed, so many; their relay is not running. */
  replicas(count: number): Promise<readonly ConfirmedReplica[]>
  /** The websocket address of a running relay that keeps its data on disk. */
  relay(): Promise<string>
  /** The same of y-websocket's relay, which keeps its data in memory. */
  yWebsocketRelay(): Promise<string>
  dispose(): Promise<void>
}

export interface ConfirmedReplica {
  readonly user: string
  readonly url: string
}

export function createSurroundings(isFull: boolean): Surroundings {
  const disposals: (() => Promise<void>)[] = []

  const browser = once(async () => {
    const opened = await openBrowser()
    disposals.push(() => opened.dispose())
    return opened
  })

  async function ownRelay(): Promise<{ readonly process: RelayProcess; readonly url: string }> {
    const process = await startRelay()
    disposals.push(() => process.dispose())
    return { process, url: process.url.replace('http:', 'ws:') }
  }

  const relay = once(async () => (await ownRelay()).url)

  const yWebsocketRelay = once(async () => {
    const port = await findFreePort()
    disposals.push(await startInNode('y-websocket-relay.ts', String(port)))
    return `ws://127.0.0.1:${port}`
  })

  /** A relay that has all items, and the disk of the replica that they come from. */
  const origin = once(async () => {
    const folder = temporaryFolder('bench')
    disposals.push(async () => removeFolder(folder))
    const { process, url } = await ownRelay()
    const file = join(folder, 'disk')
    await inNode('fill', { url, file })
    await process.stop()
    return { process, url, file }
  })

  /** A database in the browser that was filled from that relay, which is stopped again. */
  const original = once(async () => {
    const { process, url } = await origin()
    const { run } = await browser()
    const replica = { user: 'original', url }
    await process.start()
    await run('fetch', replica)
    await process.stop()
    return replica
  })

  let copies = 0

  async function replicas(count: number): Promise<readonly ConfirmedReplica[]> {
    const { user, url } = await original()
    const { run } = await browser()
    const made: ConfirmedReplica[] = []
    while (made.length < count) {
      copies += 1
      const copy = { user: `copy-${copies}`, url }
      await run('copy', { from: user, to: copy.user })
      made.push(copy)
    }
    return made
  }

  return {
    isFull,
    browser,
    disk: async () => (await origin()).file,
    replicas,
    relay,
    yWebsocketRelay,
    async dispose() {
      for (const end of disposals.splice(0).reverse()) await end()
    },
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
