import { expect } from 'vitest'
import { seededRandom } from '../simulation/random.js'
import type { BrowserProfile } from '../support/browser-profile.js'
import { type CommittedOperation, readRelayLog } from '../support/relay-log.js'
import type { RelayProcess } from '../support/relay-process.js'
import { becomesSynced, converge } from '../support/settled.js'
import { createWhims, DOOMED, keptBy, TWIN, type Whims } from './intents.js'
import { createLedger } from './ledger.js'
import { type Person, sendIn } from './person.js'

export interface Arena {
  readonly relay: RelayProcess
  readonly profiles: readonly [BrowserProfile, BrowserProfile]
}

/** What happened in a round, to see that it was not an idle one. */
export interface RoundSummary {
  readonly accepted: number
  /** Operations that went with a browser before they were saved. */
  readonly lost: number
  /** Operations that the relay had committed and not acknowledged when it was killed. */
  readonly unanswered: number
  readonly conflicts: number
  readonly deleted: number
}

interface Player {
  readonly person: Person
  readonly whims: Whims
}

/**
 * One story of two people, one relay and bad luck, told by a seed:
 *
 *     together ─► both offline, one of them restarts ─► edits in flight, the relay dies
 *              ─► edits in flight, the other one restarts ─► the relay is restarted in an orderly way ─► peace
 *
 * and then everything that was saved has to be there, once, for both of them.
 */
export async function playRound({ relay, profiles }: Arena, seed: number): Promise<RoundSummary> {
  const random = seededRandom(seed)
  const space = `chaos-${seed}`
  const ledger = createLedger()
  const players: Player[] = []
  for (const profile of profiles) {
    const person = await sendIn({ profile, url: relay.url, space, ledger })
    players.push({ person, whims: createWhims(profile.name, random.fork()) })
  }
  const [first, second] = (random.chance(0.5) ? players : players.reverse()) as [Player, Player]
  const ending = random.chance(0.5) ? (['close', 'kill'] as const) : (['kill', 'close'] as const)

  async function everybody(act: (player: Player) => Promise<void>): Promise<void> {
    await Promise.all(players.map(act))
  }
  const someIntents = async ({ person, whims }: Player, count: number): Promise<void> =>
    person.act(whims.some(count))
  const reconnect = (): Promise<void> => everybody(({ person }) => person.cards.hintOnline())
  const settle = async (): Promise<void> => {
    await reconnect()
    for (const { person } of players) await becomesSynced(person.cards)
    await converge(first.person.cards, second.person.cards)
  }

  // Together: something to fight over.
  await everybody(async ({ person, whims }) => {
    const own = [1, 2].map((number) => whims.insert(keptBy(person.name, number)))
    await person.act([...own, whims.insert(`${DOOMED}-${person.name}`)])
    await person.save()
    await person.cards.becomesInstalled()
  })
  await settle()

  // Both offline. What one of them did last may be lost with the browser.
  await relay.kill()
  await everybody(async (player) => {
    await player.person.act([player.whims.insert(TWIN)])
    await someIntents(player, 8)
    await player.person.save()
  })
  await someIntents(first, 3)
  await first.person.restart(ending[0])
  await someIntents(first, 3)
  await first.person.save()

  // The relay is back, and dies in the middle of the work: of theirs, or of its own.
  await relay.start()
  const isWriting = relay.nextWrite()
  await reconnect()
  await everybody((player) => someIntents(player, 10))
  await (random.chance(0.5) ? isWriting : first.person.isSending())
  await relay.kill()
  const unanswered = await countUnanswered()
  await everybody((player) => someIntents(player, 3))

  // A browser ends in the middle of the work.
  await relay.start()
  await reconnect()
  await second.person.save()
  await someIntents(second, 6)
  await second.person.isSending()
  await second.person.restart(ending[1])

  // A restart as it should be.
  await everybody((player) => someIntents(player, 4))
  await relay.stop()
  await relay.start()
  await everybody(({ person }) => person.save())
  await settle()

  const check = async (restored: boolean) => {
    const accepted = acceptedNow()
    expect(ledger.compareOperations(accepted)).toEqual([])
    const cards = await first.person.cards.snapshot()
    expect(ledger.compareCards(accepted, cards, { restored })).toEqual([])
    return { accepted, cards }
  }
  const { accepted, cards } = await check(false)

  // Under a tombstone everything is still as it was left.
  const made = ledger.cardsMade(accepted)
  await first.person.act(
    made.map(() => ({ kind: 'restore', pick: 0 })),
    made,
  )
  await first.person.save()
  await settle()
  await check(true)

  await second.person.cards.reload()
  await becomesSynced(second.person.cards)
  await converge(first.person.cards, second.person.cards)
  await everybody(({ person }) => person.cards.page.close())
  return {
    accepted: accepted.length,
    lost: ledger.operations - acceptedNow().length,
    unanswered,
    conflicts: cards.filter(({ titles }) => titles.length > 1).length,
    deleted: made.length - cards.length,
  }

  function acceptedNow(): readonly CommittedOperation[] {
    return [...readRelayLog(relay).values()].filter((entry) => entry.space === space)
  }

  async function countUnanswered(): Promise<number> {
    // A killed process leaves what it had written, synced or not.
    const committed = readRelayLog({ data: relay.data, trace: undefined })
    const outboxes = await Promise.all(players.map(({ person }) => person.cards.operations()))
    return outboxes.flat().filter(({ id }) => committed.has(id)).length
  }
}
