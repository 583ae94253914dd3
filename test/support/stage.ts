import { test as base, expect } from 'vitest'
import { type BrowserProfile, openProfile } from './browser-profile.js'
import { type RelayProcess, type RelayProcessOptions, startRelay } from './relay-process.js'
import { removeFolder, temporaryFolder } from './repository.js'

/** What an end-to-end test plays on: relays and browsers, all of them gone afterwards. */
export interface Stage {
  relay(options?: RelayProcessOptions): Promise<RelayProcess>
  profile(name: string): Promise<BrowserProfile>
  /** An empty folder. */
  folder(what: string): string
  /** What the relays wrote to their logs. */
  log(): string
  /** Fails when a page or a relay has complained of something that the test didn't provoke. */
  check(): void
  /** Ends everything, after a last check. */
  strike(): Promise<void>
}

/** What a browser writes to the console when a relay can't be reached. */
const UNREACHABLE = [
  /^WebSocket connection to 'ws:.*' failed: /,
  /^Failed to load resource: net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE)/,
  /^Failed to load resource: net::ERR_INTERNET_DISCONNECTED/,
]
/** pino's number for errors. */
const ERROR_LEVEL = 50

export function createStage(): Stage {
  const relays: RelayProcess[] = []
  const profiles: BrowserProfile[] = []
  const folders: string[] = []

  function complaints(): string[] {
    const outages = relays.reduce((sum, relay) => sum + relay.outages, 0)
    const expected = outages > 0 ? UNREACHABLE : []
    return [
      ...profiles.flatMap(({ name, problems }) =>
        problems
          .filter((problem) => !expected.some((pattern) => pattern.test(problem)))
          .map((problem) => `browser of ${name}: ${problem}`),
      ),
      ...relays.flatMap(({ log }) => errorsIn(log).map((line) => `relay: ${line}`)),
    ]
  }

  return {
    async relay(options) {
      const relay = await startRelay(options)
      relays.push(relay)
      return relay
    },
    async profile(name) {
      const profile = await openProfile(name)
      profiles.push(profile)
      return profile
    },
    folder(what) {
      const folder = temporaryFolder(what)
      folders.push(folder)
      return folder
    },
    log: () => relays.flatMap(({ log }) => log).join(''),
    check() {
      expect(complaints(), 'complaints of pages and relays').toEqual([])
    },
    async strike() {
      try {
        this.check()
      } finally {
        await Promise.all(profiles.map((profile) => profile.dispose()))
        await Promise.all(relays.map((relay) => relay.dispose()))
        for (const folder of folders) removeFolder(folder)
      }
    },
  }
}

function errorsIn(log: readonly string[]): string[] {
  return log
    .join('')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('strace: ') && !isHarmless(line))
}

function isHarmless(line: string): boolean {
  try {
    return (JSON.parse(line) as { level: number }).level < ERROR_LEVEL
  } catch {
    return false // Not of the log: Node's own words about a crash, for example.
  }
}

/** `test` with a stage of its own for each test; a failure shows what the relays had to say. */
export const test = base.extend('stage', async ({ onTestFailed }, { onCleanup }) => {
  const stage = createStage()
  onTestFailed(() => console.log(stage.log()))
  onCleanup(() => stage.strike())
  return stage
})
