import { collection, defineSchema, type Presence } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import {
  type ClientMessage,
  encodeClientMessage,
  PROTOCOL_VERSION,
  SUBPROTOCOL,
} from '@tidemark/core/protocol'
import { createRelayServer, DEFAULT_LIMITS } from '@tidemark/server'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import * as z from 'zod'

const schema = defineSchema({
  version: 1,
  collections: { cards: collection({ title: z.string() }) },
})
const cursor = z.object({ x: z.number() })

async function startRelay(options: Parameters<typeof createRelayServer>[0] = {}) {
  const relay = await createRelayServer({ port: 0, ...options })
  onTestFinished(() => relay.close())
  return relay.url.replace('http', 'ws')
}

async function openStore(url: string, user: string) {
  const store = createStore({ schema, user, url, auth: () => user })
  onTestFinished(() => store.close())
  await store.ready
  return store
}

/** Waits for a view of the others on which `matches` agrees. */
function sees<State>(
  here: Presence<State>,
  matches: (states: readonly string[]) => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      const { peers, isLive } = here.current
      const states = peers.map(({ user, state }) => `${user} ${JSON.stringify(state)}`)
      if (!isLive || !matches(states)) return
      stop()
      resolve()
    }
    const stop = here.subscribe(look)
    look()
  })
}

/** A client of the protocol that does as it likes. */
async function connectRaw(url: string, user: string) {
  const socket = new WebSocket(url, SUBPROTOCOL)
  onTestFinished(() => socket.terminate())
  await new Promise((resolve) => socket.once('open', resolve))
  const send = (message: ClientMessage): void => socket.send(encodeClientMessage(message))
  send({ type: 'hello', protocol: PROTOCOL_VERSION, user, token: user, replica: 'raw-client' })
  send({ type: 'open', channel: 1, space: 'default' })
  send({ type: 'join', channel: 1, topic: '' })
  await new Promise((resolve) => socket.once('message', resolve))
  return { socket, send }
}

const bytes = (state: unknown) => new TextEncoder().encode(JSON.stringify(state))

test('two stores see each other at a card, and when the other one goes', async () => {
  const url = await startRelay()
  const [ada, bob] = [await openStore(url, 'ada'), await openStore(url, 'bob')]
  const [here, there] = [ada.cards.presence('c1', cursor), bob.cards.presence('c1', cursor)]
  here.set({ x: 1 })
  there.set({ x: 2 })
  const others = ['ada {"x":1}', 'bob {"x":2}']
  await sees(here, (states) => others.every((state) => states.includes(state)))
  await sees(there, (states) => others.every((state) => states.includes(state)))
  const ofBob = here.current.peers.find(({ user }) => user === 'bob')
  for (let x = 3; x <= 40; x++) here.set({ x })
  await sees(there, (states) => states.includes('ada {"x":40}'))
  expect(here.current.peers.find(({ user }) => user === 'bob')).toBe(ofBob)
  await bob.close()
  await sees(here, (states) => states.length === 1)
})

test('[SEC-5] nobody is shown as somebody else, whatever a client sends', async () => {
  const url = await startRelay({ authenticate: ({ token }) => token })
  const ada = await openStore(url, 'ada')
  const here = ada.presence()
  here.set('ada herself')
  await sees(here, (states) => states.length === 1)
  const name = here.current.peers[0]?.id.split('/')[1] ?? ''
  const eve = await connectRaw(url, 'eve')
  // The name of Ada's tab, which everybody can read.
  eve.send({ type: 'presence', channel: 1, topic: '', peer: name, state: bytes('I am Ada') })
  await sees(here, (states) => states.length === 2)
  expect(here.current.peers.map(({ user, state, isSelf }) => [user, state, isSelf])).toEqual([
    ['ada', 'ada herself', true],
    ['eve', 'I am Ada', false],
  ])
  eve.send({ type: 'presence', channel: 1, topic: '', peer: name, state: new Uint8Array() })
  await sees(here, (states) => states.length === 1)
  expect(here.current.peers).toMatchObject([{ user: 'ada', state: 'ada herself' }])
})

test('[SEC-10] 200,000 states of one client show as few ghosts, keep no operation waiting, and go with it', async () => {
  const url = await startRelay()
  const [ada, bob] = [await openStore(url, 'ada'), await openStore(url, 'bob')]
  const here = ada.presence()
  here.set('here')
  await sees(here, (states) => states.length === 1)
  let most = 0
  here.subscribe(({ peers }) => {
    most = Math.max(most, peers.length)
  })
  const eve = await connectRaw(url, 'eve')
  for (let ghost = 0; ghost < 200_000; ghost++)
    eve.send({ type: 'presence', channel: 1, topic: '', peer: `g${ghost}`, state: bytes('boo') })
  for (let at = 0; at < 10; at++)
    await bob.cards.insert({ title: `Meanwhile ${at}` }).when('synced')
  await sees(here, (states) => states.length === 1 + DEFAULT_LIMITS.presenceTabs)
  expect(most).toBe(1 + DEFAULT_LIMITS.presenceTabs)
  eve.socket.terminate()
  await sees(here, (states) => states.length === 1)
})
