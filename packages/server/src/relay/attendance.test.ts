import { CLOSE_CODES, type RelayMessage } from '@tidemark/core/protocol'
import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from './limits.js'
import {
  createGate,
  createTestRelay,
  hello,
  settled,
  type TestConnection,
} from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

const { presenceTick, presenceTopics } = DEFAULT_LIMITS

function say(connection: TestConnection, topic: string, state: string, peer = 'tab'): void {
  const bytes = new TextEncoder().encode(state)
  connection.send({ type: 'presence', channel: 1, topic, peer, state: bytes })
}

function attend(connection: TestConnection, topic: string, state: string, peer = 'tab'): void {
  connection.send({ type: 'join', channel: 1, topic })
  say(connection, topic, state, peer)
}

/** What was told since the last call. */
function told(connection: TestConnection): unknown[] {
  return connection.take().map((message: RelayMessage) => {
    if (message.type !== 'presence') return message.type
    const peers = message.peers.map(({ id, state }) => [id, new TextDecoder().decode(state)])
    return [message.topic, message.all, Object.fromEntries(peers)]
  })
}

describe('the presence of a connection', () => {
  it('is told to everybody on the topic, and to nobody elsewhere', async () => {
    const { join, clock } = createTestRelay()
    const ada = await join()
    const bob = await join({ user: 'bob', replica: 'replica-b' })
    const other = await join({ user: 'eve', replica: 'replica-c', space: 'other' })
    const watcher = await join({ user: 'joe', replica: 'replica-d' })
    attend(ada, 'cards/c1', '{"at":1}')
    for (const connection of [bob, other])
      connection.send({ type: 'join', channel: 1, topic: 'cards/c1' })
    watcher.send({ type: 'join', channel: 1, topic: '' })
    clock.advance(presenceTick)
    expect(told(ada)).toEqual([['cards/c1', true, { 'ada/tab': '{"at":1}' }]])
    expect(told(bob)).toEqual([['cards/c1', true, { 'ada/tab': '{"at":1}' }]])
    expect(told(other)).toEqual([['cards/c1', true, {}]])
    expect(told(watcher)).toEqual([['', true, {}]])
    say(ada, 'cards/c1', '{"at":2}')
    clock.advance(presenceTick)
    expect(told(bob)).toEqual([['cards/c1', false, { 'ada/tab': '{"at":2}' }]])
    expect([...told(other), ...told(watcher)]).toEqual([])
  })

  it('ends with a leave, with an empty state, and with the connection', async () => {
    const { join, clock } = createTestRelay()
    const ada = await join()
    const bob = await join({ user: 'bob', replica: 'replica-b' })
    attend(bob, '', '1')
    const there = (): void => {
      attend(ada, '', '1')
      clock.advance(2 * presenceTick)
      expect(told(bob).at(-1)).toMatchObject(['', expect.any(Boolean), { 'ada/tab': '1' }])
    }
    const gone = (): void => {
      clock.advance(2 * presenceTick)
      expect(told(bob)).toEqual([['', false, { 'ada/tab': '' }]])
    }
    there()
    say(ada, '', '')
    gone()
    there()
    ada.send({ type: 'leave', channel: 1, topic: '' })
    gone()
    there()
    ada.disconnect()
    gone()
  })

  it('[SEC-5] is for those who may only read too, as themselves', async () => {
    const { connect, clock } = createTestRelay({
      authenticate: ({ user }) => ({ user, spaces: { team: 'read' } }),
    })
    const connection = connect()
    connection.send(hello({ user: 'eve' }))
    connection.send({ type: 'open', channel: 1, space: 'team' })
    await settled()
    told(connection)
    attend(connection, '', '1')
    clock.advance(presenceTick)
    expect(told(connection)).toEqual([['', true, { 'eve/tab': '1' }]])
  })

  it('[SEC-10] as many are listed as there are connections, through any coming and going', async () => {
    const { join, clock } = createTestRelay()
    const watcher = await join({ user: 'joe', replica: 'replica-0' })
    watcher.send({ type: 'join', channel: 1, topic: '' })
    const live: TestConnection[] = []
    const listed = new Set<string>()
    for (let round = 0; round < 60; round++) {
      const connection = await join({ user: `user-${round}`, replica: `replica-${round}-x` })
      attend(connection, '', '1')
      live.push(connection)
      if (round % 3 === 2) live.splice(round % live.length, 1)[0]?.disconnect()
      clock.advance(2 * presenceTick)
      for (const message of watcher.take()) {
        if (message.type !== 'presence') continue
        if (message.all) listed.clear()
        for (const { id, state } of message.peers) {
          if (state.length > 0) listed.add(id)
          else listed.delete(id)
        }
      }
      expect(listed.size).toBe(live.length)
    }
    expect(live.length).toBe(40)
  })

  it('is not stored, waits for no storage, and keeps no operation waiting', async () => {
    const gate = createGate()
    const { join, clock, disk } = createTestRelay({ beforeCommit: gate.wait })
    const ada = await join({ since: 0 })
    const bob = await join({ user: 'bob', replica: 'replica-b' })
    bob.send({ type: 'join', channel: 1, topic: '' })
    ada.push(createWriter().write('one', { a: 1 }))
    await settled()
    attend(ada, '', '1')
    clock.advance(presenceTick)
    expect(told(bob)).toEqual([['', true, { 'ada/tab': '1' }]])
    expect(told(ada)).toEqual([['', true, { 'ada/tab': '1' }]])
    expect(disk.spaces.size).toBe(0)
    await gate.release()
    expect(told(ada)).toEqual(['ack'])
    expect(gate.waiting).toBe(0)
  })

  it.each([
    ['a channel that is not open', { channel: 2, topic: '' }],
    ['a topic without a collection', { channel: 1, topic: '/c1' }],
    ['a topic without an id', { channel: 1, topic: 'cards/' }],
    ['a topic that is no name', { channel: 1, topic: 'cards' }],
    ['a topic that leads elsewhere', { channel: 1, topic: 'cards/../c1' }],
  ])('[S1] on %s closes the connection', async (_name, { channel, topic }) => {
    const { join } = createTestRelay()
    const connection = await join()
    connection.send({ type: 'join', channel, topic })
    expect(connection.closed?.code).toBe(CLOSE_CODES.protocolViolation)
  })

  it('[SEC-5] of a peer that is named like another user’s closes the connection', async () => {
    const { join } = createTestRelay()
    const connection = await join()
    attend(connection, '', '1', 'ada/tab')
    expect(connection.closed?.code).toBe(CLOSE_CODES.protocolViolation)
  })

  it('[SEC-10] on a topic too many is left out, and the connection goes on', async () => {
    const { join, clock } = createTestRelay()
    const connection = await join()
    for (let at = 0; at <= presenceTopics; at++) attend(connection, `cards/c${at}`, '1')
    clock.advance(20 * presenceTick)
    expect(told(connection)).toHaveLength(presenceTopics)
    connection.send({ type: 'ping', nonce: 1 })
    expect(told(connection)).toEqual(['pong'])
    connection.send({ type: 'leave', channel: 1, topic: 'cards/c0' })
    attend(connection, `cards/c${presenceTopics}`, '1')
    clock.advance(2 * presenceTick)
    expect(told(connection)).toHaveLength(1)
  })
})
