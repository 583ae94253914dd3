import { expect, it } from 'vitest'
import { DEFAULT_LIMITS } from './limits.js'
import { createTestPresence, type TestSeat } from './presence.test-support.js'

const { presenceTick, presenceExpiry, presencePeers, presenceTabs, pageLowWater } = DEFAULT_LIMITS

function sumOfFrames(seats: readonly TestSeat[]): number {
  return seats.reduce((sum, { frames }) => sum + frames, 0)
}

it('tells who joins everybody who is there, and also that nobody is', () => {
  const { clock, guest } = createTestPresence()
  const first = guest('ada').join('')
  clock.advance(0)
  expect([first.knows, first.frames, first.view.size]).toEqual([true, 1, 0])
  first.say('tab', '{"x":1}')
  const second = guest('bob').join('')
  clock.advance(presenceTick)
  expect(second.view).toEqual(new Map([['ada/tab', '{"x":1}']]))
  expect(first.view).toEqual(second.view)
})

it('tells the first change after a rest at once, and those that follow once a tick, the last of each', () => {
  const { clock, guest } = createTestPresence()
  const ada = guest('ada').join('')
  const bob = guest('bob').join('')
  clock.advance(10 * presenceTick)
  const before = bob.frames
  ada.say('tab', '0')
  clock.advance(0)
  expect(bob.view.get('ada/tab')).toBe('0')
  for (let count = 1; count <= 100; count++) ada.say('tab', String(count))
  clock.advance(presenceTick - 1)
  expect(bob.view.get('ada/tab')).toBe('0')
  clock.advance(1)
  expect(bob.view.get('ada/tab')).toBe('100')
  expect(bob.frames - before).toBe(2)
})

it('[SEC-10] a hundred people who move their cursors all the time cost a hundred frames a tick', () => {
  const { clock, guest } = createTestPresence()
  const seats = Array.from({ length: 100 }, (_, at) => guest(`user-${at}`).join('cards/c1'))
  clock.advance(10 * presenceTick)
  const before = sumOfFrames(seats)
  for (let tick = 0; tick < 20; tick++) {
    for (let move = 0; move < 5; move++)
      for (const seat of seats) seat.say('tab', `{"x":${tick * 5 + move}}`)
    clock.advance(presenceTick)
  }
  clock.advance(presenceTick)
  expect(sumOfFrames(seats) - before).toBeLessThanOrEqual(21 * 100)
  for (const { view, lastPeers } of seats) {
    expect(view.size).toBe(100)
    expect(new Set(view.values())).toEqual(new Set(['{"x":99}']))
    expect(lastPeers).toBe(100)
  }
})

it('says a state that has not changed to nobody', () => {
  const { clock, guest } = createTestPresence()
  const ada = guest('ada').join('')
  const bob = guest('bob').join('')
  ada.say('tab', '1')
  clock.advance(10 * presenceTick)
  const before = bob.frames
  for (let count = 0; count < 10; count++) {
    ada.say('tab', '1')
    clock.advance(presenceExpiry / 3)
  }
  expect(bob.frames).toBe(before)
  expect(bob.view.get('ada/tab')).toBe('1')
})

it('lets a peer go that is not said any more, though its connection stands', () => {
  const { clock, guest } = createTestPresence()
  const frozen = guest('ada').join('')
  const bob = guest('bob').join('')
  frozen.say('tab', '1')
  clock.advance((presenceExpiry * 3) / 4 - presenceTick)
  expect(bob.view.size).toBe(1)
  clock.advance(presenceExpiry / 4 + 2 * presenceTick)
  expect(bob.view.size).toBe(0)
  frozen.say('tab', '2')
  clock.advance(presenceTick)
  expect(bob.view.get('ada/tab')).toBe('2')
})

it('a tab that comes back over another link is the same peer, and the end of the former link takes nothing away', () => {
  const { clock, guest } = createTestPresence()
  const bob = guest('bob').join('')
  const dead = guest('ada')
  dead.join('').say('tab', '1')
  clock.advance(presenceTick)
  const before = bob.frames
  const back = guest('ada')
  back.join('').say('tab', '1')
  dead.disconnect()
  clock.advance(presenceTick)
  expect(bob.frames).toBe(before)
  back.disconnect()
  clock.advance(presenceTick)
  expect(bob.view.size).toBe(0)
})

it('[SEC-5] nobody is present as somebody else: a name that is taken is taken for that user only', () => {
  const { clock, guest } = createTestPresence()
  const ada = guest('ada').join('')
  const eve = guest('eve').join('')
  ada.say('tab', '"ada"')
  eve.say('tab', '"eve"')
  eve.say('ada/tab', '"eve"')
  eve.say('', '"eve"')
  clock.advance(presenceTick)
  eve.say('tab', '')
  clock.advance(presenceTick)
  expect(ada.view).toEqual(new Map([['ada/tab', '"ada"']]))
})

it('[SEC-10] of 200,000 states of one connection it keeps as many as a device has tabs', () => {
  const { clock, guest } = createTestPresence()
  const bob = guest('bob').join('')
  const eve = guest('eve').join('')
  for (let ghost = 0; ghost < 200_000; ghost++) eve.say(`ghost-${ghost}`, '{"name":"ghost"}')
  clock.advance(60 * presenceTick)
  expect(bob.view.size).toBe(presenceTabs)
  expect(eve.view).toEqual(bob.view)
})

it('[SEC-10] peers that come and go by the thousand do not pile up', () => {
  const { clock, guest } = createTestPresence()
  const bob = guest('bob').join('')
  const eve = guest('eve').join('')
  eve.say('stays', '1')
  clock.advance(presenceTick)
  const before = bob.frames
  for (let ghost = 0; ghost < 200_000; ghost++) {
    eve.say(`ghost-${ghost}`, '1')
    eve.say(`ghost-${ghost}`, '')
  }
  clock.advance(60 * presenceTick)
  expect(bob.view).toEqual(new Map([['eve/stays', '1']]))
  // Fewer frames than a topic that is full takes.
  expect(bob.frames - before).toBeLessThan(10)
})

it('[SEC-10] a topic takes no more peers than its limit, and another one when somebody leaves', () => {
  const { clock, guest } = createTestPresence({ presenceTickBytes: Number.MAX_SAFE_INTEGER })
  const guests = Array.from({ length: presencePeers }, (_, at) => guest(`user-${at}`))
  for (const each of guests) each.join('').say('tab', '1')
  const late = guest('late').join('')
  late.say('tab', '1')
  clock.advance(presenceTick)
  expect(late.view.size).toBe(presencePeers)
  expect(late.view.has('late/tab')).toBe(false)
  guests[0]?.disconnect()
  late.say('tab', '1')
  clock.advance(10 * presenceTick)
  expect(late.view.size).toBe(presencePeers)
  expect(late.view.has('late/tab')).toBe(true)
})

it('a state that is too large is not taken, and its peer is not there', () => {
  const { clock, guest } = createTestPresence({ presenceStateBytes: 10 })
  const seat = guest('ada').join('')
  seat.say('tab', '1234567890')
  clock.advance(presenceTick)
  expect(seat.view.size).toBe(1)
  seat.say('tab', '12345678901')
  clock.advance(presenceTick)
  expect(seat.view.size).toBe(0)
})

it('counts the states of a connection over all of its topics, and those that left no more', () => {
  const { clock, guest } = createTestPresence({ presenceBytes: 10 })
  const ada = guest('ada')
  const [one, two] = [ada.join('cards/c1'), ada.join('cards/c2')]
  one.say('tab', '123456')
  two.say('tab', '123456')
  clock.advance(presenceTick)
  expect([one.view.size, two.view.size]).toEqual([1, 0])
  one.say('tab', '1234')
  two.say('tab', '123456')
  clock.advance(presenceTick)
  expect([one.view.size, two.view.size]).toEqual([1, 1])
})

it('[SEC-9] a reader that is slow is told nothing more until it has read, and then everything', () => {
  const { clock, guest } = createTestPresence()
  const slow = guest('slow')
  const seat = slow.join('')
  const ada = guest('ada').join('')
  const gone = guest('gone').join('')
  ada.say('tab', '1')
  gone.say('tab', '1')
  clock.advance(presenceTick)
  slow.bufferedBytes = pageLowWater + 1
  const before = seat.frames
  ada.say('tab', '2')
  gone.leave()
  clock.advance(10 * presenceTick)
  expect(seat.frames).toBe(before)
  expect(ada.view.get('ada/tab')).toBe('2')
  slow.bufferedBytes = 0
  clock.advance(presenceTick)
  expect(seat.frames).toBe(before + 1)
  expect(seat.view).toEqual(new Map([['ada/tab', '2']]))
})

it('sends no more in a tick than it may, whoever is first waits longest next time, and nobody is left out', () => {
  const { clock, guest } = createTestPresence({ presenceTickBytes: 10_000 })
  const crowd = Array.from({ length: 50 }, (_, at) => guest(`user-${at}`).join('crowd/c'))
  const quiet = guest('quiet').join('cards/c1')
  clock.advance(1_000)
  const before = sumOfFrames(crowd)
  for (let tick = 0; tick < 40; tick++) {
    for (const seat of crowd) seat.say('tab', String(tick))
    if (tick === 20) quiet.say('tab', '"hello"')
    clock.advance(presenceTick)
    // One frame for each of them is more than the budget: it is the least that makes sense.
    expect(sumOfFrames(crowd) - before).toBeLessThanOrEqual((tick + 2) * 50)
    if (tick === 22) expect(quiet.view.size).toBe(1)
  }
  clock.advance(5_000)
  for (const { view } of crowd) expect(new Set(view.values())).toEqual(new Set(['39']))
})

it('has topics take turns when all of them together want to send more than may be sent', () => {
  const { clock, guest } = createTestPresence({ presenceTickBytes: 10_000 })
  const topics = Array.from({ length: 10 }, (_topic, at) =>
    Array.from({ length: 25 }, (_guest, user) => guest(`user-${user}`).join(`cards/c${at}`)),
  )
  clock.advance(1_000)
  for (const seats of topics) seats[0]?.say('tab', '1')
  const before = topics.map(sumOfFrames)
  for (let tick = 1; tick <= 10; tick++) {
    clock.advance(tick === 1 ? 0 : presenceTick)
    // One topic takes more than the budget.
    const told = topics.filter((seats, at) => sumOfFrames(seats) > (before[at] ?? 0))
    expect(told).toHaveLength(tick)
  }
})

it('cuts long lists into frames', () => {
  const { clock, guest } = createTestPresence({ presenceTickBytes: Number.MAX_SAFE_INTEGER })
  for (let at = 0; at < 600; at++) guest(`user-${at}`).join('').say('tab', String(at))
  clock.advance(20 * presenceTick)
  const late = guest('late').join('')
  clock.advance(presenceTick)
  expect([late.frames, late.view.size]).toEqual([3, 600])
  late.ask()
  clock.advance(presenceTick)
  expect([late.frames, late.view.size]).toEqual([6, 600])
})
