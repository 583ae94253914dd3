import { decodeRelayMessage, type RelayMessage } from '@tidemark/core/protocol'
import { expect, it } from 'vitest'
import { createHub, type Subscriber } from './hub.js'
import { createWriter } from './writer.test-support.js'

interface Listener extends Subscriber {
  readonly received: RelayMessage[]
  readonly frames: Uint8Array[]
  isDropped: boolean
}

function createListener(channel = 1): Listener {
  const received: RelayMessage[] = []
  const frames: Uint8Array[] = []
  return {
    channel,
    received,
    frames,
    isDropped: false,
    send(frame) {
      frames.push(frame)
      received.push(decodeRelayMessage(frame))
    },
    drop() {
      this.isDropped = true
    },
  }
}

const operation = createWriter().write('one', { a: 1 })
const stranger = createListener()

it('says when nobody listens to a space any more', () => {
  const left: string[] = []
  const hub = createHub((space) => left.push(space))
  const [first, second] = [createListener(), createListener()]
  hub.join('team', first, 0)
  hub.join('team', second, 0)
  hub.leave('team', first)
  hub.leave('other', first)
  expect(left).toEqual([])
  hub.leave('team', second)
  expect(left).toEqual(['team'])
})

it('tells everybody in the space but the author', () => {
  const hub = createHub()
  const [author, reader, elsewhere] = [createListener(), createListener(), createListener()]
  hub.join('team', author, 4)
  hub.join('team', reader, 4)
  hub.join('other', elsewhere, 4)
  hub.broadcast('team', 5, operation, author)
  expect(reader.received).toEqual([{ type: 'changes', channel: 1, sequence: 5, operation }])
  expect([...author.received, ...elsewhere.received]).toEqual([])
})

it('encodes a change once for all who gave the space the same number', () => {
  const hub = createHub()
  const [first, second, third] = [createListener(1), createListener(1), createListener(2)]
  for (const listener of [first, second, third]) hub.join('team', listener, 0)
  hub.broadcast('team', 1, operation, stranger)
  expect(second.frames[0]).toBe(first.frames[0])
  expect(third.received).toMatchObject([{ channel: 2, sequence: 1 }])
})

it.each([
  [
    'a broadcast',
    (hub: ReturnType<typeof createHub>) => hub.broadcast('team', 6, operation, stranger),
  ],
  ['a newcomer', (hub: ReturnType<typeof createHub>) => hub.join('team', createListener(), 5)],
  ['the head of the storage', (hub: ReturnType<typeof createHub>) => hub.align('team', 5)],
])('[L18] drops who missed a sequence as soon as %s shows it', (_name, show) => {
  const hub = createHub()
  const listener = createListener()
  hub.join('team', listener, 4)
  show(hub)
  expect([listener.isDropped, listener.received]).toEqual([true, []])
})

it('drops nobody who has seen everything', () => {
  const hub = createHub()
  const listener = createListener()
  hub.join('team', listener, 4)
  hub.broadcast('team', 5, operation, stranger)
  hub.join('team', createListener(), 5)
  hub.align('team', 5)
  expect(listener.isDropped).toBe(false)
})

it('forgets a space that nobody listens to any more', () => {
  const hub = createHub()
  const [first, second] = [createListener(), createListener()]
  hub.join('team', first, 0)
  hub.join('team', second, 0)
  hub.leave('team', first)
  expect(hub.spaces()).toEqual(['team'])
  hub.leave('team', second)
  hub.leave('nobody-was-here', second)
  expect(hub.spaces()).toEqual([])
})
