import { collection, defineSchema, type Presence } from '@tidemark/core'
import { DEFAULT_LIMITS } from '@tidemark/server'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Device, Tab } from './device.js'
import { seededRandom } from './random.js'
import { createScenario } from './scenario.js'

const schema = defineSchema({
  version: 1,
  collections: { cards: collection({ title: z.string() }) },
})
type Schema = typeof schema.collections

const { presenceExpiry } = DEFAULT_LIMITS

interface Person {
  readonly tab: Tab<Schema>
  readonly here: Presence<string>
}

/** What a tab sees of the others, and whether it thinks that this is how it is now. */
function seen({ here }: Pick<Person, 'here'>): string {
  const { peers, isLive } = here.current
  const others = peers.map(
    ({ user, state, isSelf }) => `${user} ${state}${isSelf ? ' (self)' : ''}`,
  )
  return `${isLive ? 'live' : 'stale'}: ${others.sort().join(', ')}`
}

function setUp(limits = {}) {
  const scenario = createScenario(schema, limits)
  async function open(device: Device<Schema>, state?: string): Promise<Person> {
    device.messageLoss = 0
    const tab = await scenario.wait(device.open())
    const here = tab.store.presence<string>()
    here.subscribe(() => undefined)
    if (state !== undefined) here.set(state)
    return { tab, here }
  }
  const shows = async (person: Person, view: string): Promise<void> => {
    await scenario.until(() => seen(person) === view).catch(() => undefined)
    expect(seen(person)).toBe(view)
  }
  return { scenario, open, shows }
}

describe('presence', () => {
  test('shows everybody on the topic, with what they said last, and tells when they are gone', async () => {
    const { scenario, open, shows } = setUp()
    const ada = await open(scenario.device('ada'), 'reads')
    const bob = await open(scenario.device('bob'))
    await shows(ada, 'live: ada reads (self)')
    await shows(bob, 'live: ada reads')
    bob.here.set('types')
    bob.here.set('types on')
    await shows(ada, 'live: ada reads (self), bob types on')
    ada.here.clear()
    await shows(bob, 'live: bob types on (self)')
    await scenario.wait(bob.tab.close())
    await shows(ada, 'live: ')
  })

  test('[TAB-1] shows the tabs of one device as peers of their own, over one link', async () => {
    const { scenario, open, shows } = setUp()
    const device = scenario.device('ada')
    const first = await open(device, 'one')
    const second = await open(device, 'two')
    const third = await open(device)
    const bob = await open(scenario.device('bob'))
    await shows(bob, 'live: ada one, ada two')
    await shows(first, 'live: ada one (self), ada two')
    await shows(second, 'live: ada one, ada two (self)')
    await shows(third, 'live: ada one, ada two')
    expect(scenario.network.wires.size).toBe(2)
    await scenario.wait(second.tab.close())
    await shows(bob, 'live: ada one')
    await shows(third, 'live: ada one')
  })

  test('[TAB-1] goes on with the same peers when the tab with the link crashes, and that one is gone', async () => {
    const { scenario, open, shows } = setUp()
    const device = scenario.device('ada')
    const leading = await open(device, 'one')
    const following = await open(device, 'two')
    const bob = await open(scenario.device('bob'), 'three')
    await shows(bob, 'live: ada one, ada two, bob three (self)')
    const idOf = (state: string) => bob.here.current.peers.find((peer) => peer.state === state)?.id
    const id = idOf('two')
    leading.tab.crash()
    await shows(following, 'live: ada two (self), bob three')
    await shows(bob, 'live: ada two, bob three (self)')
    expect(idOf('two')).toBe(id)
  })

  test('lets a tab that crashed without the link go as soon as it has not been heard for too long', async () => {
    const { scenario, open, shows } = setUp()
    const device = scenario.device('ada')
    const leading = await open(device, 'one')
    const following = await open(device, 'two')
    const bob = await open(scenario.device('bob'), 'three')
    await shows(bob, 'live: ada one, ada two, bob three (self)')
    following.tab.crash()
    await scenario.pass(presenceExpiry)
    await shows(bob, 'live: ada one, bob three (self)')
    await shows(leading, 'live: ada one (self), bob three')
  })

  test('keeps everybody who is there, for hours, though nothing changes', async () => {
    const { scenario, open, shows } = setUp()
    const device = scenario.device('ada')
    const people = [await open(device, 'one'), await open(device, 'two')]
    const bob = await open(scenario.device('bob'))
    await shows(bob, 'live: ada one, ada two')
    let changes = 0
    bob.here.subscribe(() => {
      changes += 1
    })
    await scenario.pass(2 * 60 * 60 * 1000)
    expect(changes).toBe(0)
    expect(seen(bob)).toBe('live: ada one, ada two')
    for (const person of people) await scenario.wait(person.tab.close())
    await shows(bob, 'live: ')
  })

  test('[TAB-2] what the tab with the link told in vain shows in the others soon', async () => {
    const { scenario, open, shows } = setUp()
    const device = scenario.device('ada')
    const leading = await open(device)
    const following = await open(device)
    const bob = await open(scenario.device('bob'), 'one')
    const eve = await open(scenario.device('eve'), 'two')
    await shows(following, 'live: bob one, eve two')
    device.messageLoss = 1
    bob.here.set('three')
    await scenario.wait(eve.tab.close())
    await shows(leading, 'live: bob three')
    expect(seen(following)).toBe('live: bob one, eve two')
    device.messageLoss = 0
    await shows(following, 'live: bob three')
  })

  test('offline shows who was there before and says so; its own state is told when it comes back', async () => {
    const { scenario, open, shows } = setUp()
    const device = scenario.device('ada')
    const ada = await open(device, 'one')
    const second = await open(device)
    const bob = await open(scenario.device('bob'), 'two')
    await shows(second, 'live: ada one, bob two')
    device.online = false
    for (const wire of scenario.network.wires) wire.cut()
    await shows(ada, 'stale: ada one (self), bob two')
    await shows(second, 'stale: ada one, bob two')
    await shows(bob, 'live: bob two (self)')
    ada.here.set('three')
    bob.here.set('four')
    await shows(ada, 'stale: ada three (self), bob two')
    device.online = true
    device.hint()
    await shows(bob, 'live: ada three, bob four (self)')
    await shows(ada, 'live: ada three (self), bob four')
    await shows(second, 'live: ada three, bob four')
  })

  test('a relay that was killed knows nobody, and is told by everybody', async () => {
    const { scenario, open, shows } = setUp()
    const device = scenario.device('ada')
    const ada = await open(device, 'one')
    const second = await open(device, 'two')
    const bob = await open(scenario.device('bob'), 'three')
    await shows(bob, 'live: ada one, ada two, bob three (self)')
    scenario.relay.crash()
    for (const wire of scenario.network.wires) wire.cut()
    await shows(bob, 'stale: ada one, ada two, bob three (self)')
    scenario.relay.start()
    await shows(ada, 'live: ada one (self), ada two, bob three')
    await shows(bob, 'live: ada one, ada two, bob three (self)')
    await shows(second, 'live: ada one, ada two (self), bob three')
  })

  test('at one entity is nothing to who is at another one', async () => {
    const { scenario, open } = setUp()
    const ada = await open(scenario.device('ada'))
    const bob = await open(scenario.device('bob'))
    const at = ({ tab }: Person, id: string) => {
      const here = tab.store.cards.presence<string>(id)
      here.subscribe(() => undefined)
      return { here }
    }
    const [one, two] = [at(ada, 'c1'), at(ada, 'c2')]
    const there = at(bob, 'c1')
    there.here.set('edits')
    await scenario.until(() => seen(one) === 'live: bob edits' && seen(two) === 'live: ')
    there.here.leave()
    await scenario.until(() => seen(one) === 'live: ')
  })

  /** Everything at once; then everybody who is left sees the same, and exactly who is there. */
  test.for(Array.from({ length: 30 }, (_, seed) => seed))(
    '[SEC-10] is what is left of it after every kind of trouble, seed %i',
    async (seed) => {
      const { scenario, open } = setUp()
      const random = seededRandom(1000 + seed)
      const devices = ['ada', 'bob', 'eve'].map((user) => scenario.device(user))
      let people: { person: Person; user: string; state: string | undefined }[] = []
      for (let step = 0; step < 60; step++) {
        const kind = random.unit()
        const one = people[Math.floor(random.unit() * people.length)]
        const device = devices[step % 3]
        if (device === undefined) break
        if (kind < 0.25 && people.length < 7) {
          const user = ['ada', 'bob', 'eve'][step % 3] ?? ''
          people.push({ person: await open(device), user, state: undefined })
        } else if (kind < 0.6 && one) {
          one.state = `${step}`
          one.person.here.set(one.state)
        } else if (kind < 0.65 && one) {
          one.state = undefined
          one.person.here.clear()
        } else if (kind < 0.75 && one) {
          people = people.filter((other) => other !== one)
          if (kind < 0.7) one.person.tab.crash()
          else await scenario.wait(one.person.tab.close())
        } else if (kind < 0.85) {
          for (const wire of [...scenario.network.wires]) {
            if (random.chance(0.3)) wire.blackhole('up')
            else if (random.chance(0.5)) wire.cut()
          }
        } else if (kind < 0.9) {
          scenario.relay.crash()
          scenario.relay.start()
          for (const wire of [...scenario.network.wires]) wire.cut()
        } else {
          device.messageLoss = 0.3
          await scenario.pass(200)
          device.messageLoss = 0
        }
        await scenario.pass(random.unit() * 500)
      }
      // Dead links are found, dead tabs given up.
      await scenario.pass(4 * presenceExpiry)
      people.push({ person: await open(scenario.device('joe')), user: 'joe', state: undefined })
      await scenario.pass(1_000)
      for (const { person } of people) {
        const expected = people
          .filter(({ state }) => state !== undefined)
          .map(
            ({ user, state, person: { here } }) =>
              `${user} ${state}${here === person.here ? ' (self)' : ''}`,
          )
        expect(seen(person)).toBe(`live: ${expected.sort().join(', ')}`)
      }
    },
  )
})
