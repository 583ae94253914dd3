import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Auth, collection, defineSchema, type Store } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import * as z from 'zod'
import { endProcess, type OwnedProcess, spawnOwned } from '../support/owned-process.js'
import { inRepository, removeFolder, temporaryFolder } from '../support/repository.js'

const SECRET = 'a secret of more than 32 bytes, for tests'
const DEADLINE_MS = 20_000

const schema = defineSchema({
  version: 1,
  collections: { cards: collection({ title: z.string(), owner: z.string() }) },
})
type Cards = Store<typeof schema.collections>

/** The configuration of docs/authentication.md, where its packages are found. */
function writeConfig(): string {
  const [, text = ''] =
    /```ts\n(\/\/ tidemark\.config\.ts\n[\s\S]*?)```/.exec(
      readFileSync(inRepository('docs/authentication.md'), 'utf8'),
    ) ?? []
  expect(text).toContain('defineConfig')
  const file = inRepository(`test/.authentication-${process.pid}.config.ts`)
  onTestFinished(() => rmSync(file, { force: true }))
  writeFileSync(file, text)
  return file
}

function tidemark(...parameters: readonly string[]): OwnedProcess {
  const command = [process.execPath, inRepository('packages/server/dist/cli.js')]
  return spawnOwned('env', [`TIDEMARK_SECRET=${SECRET}`, ...command, ...parameters])
}

async function firstLineOf(child: OwnedProcess): Promise<string> {
  let errors = ''
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString()
  })
  const lines = createInterface({ input: child.stdout })
  const line: unknown = await Promise.race([
    once(lines, 'line').then(([first]) => String(first)),
    once(child, 'close').then(() => undefined),
  ])
  if (typeof line !== 'string') throw new Error(`it ended without a word: ${errors}`)
  return line
}

async function startRelay(config: string): Promise<string> {
  const data = join(temporaryFolder('authentication'), 'data')
  const child = tidemark('serve', '--config', config, '--port', '0', '--data', data)
  onTestFinished(async () => {
    await endProcess(child, 'SIGTERM')
    removeFolder(join(data, '..'))
  })
  const line = await firstLineOf(child)
  return line.replace('Tidemark relay on http', 'ws')
}

function tokenFor(config: string, ...parameters: readonly string[]): Promise<string> {
  return firstLineOf(tidemark('token', '--config', config, ...parameters))
}

async function open(url: string, user: string, auth: Auth): Promise<Cards> {
  const store = createStore({ schema, user, space: 'team-42', url, auth })
  onTestFinished(() => store.close())
  await store.ready
  return store
}

const reaches = (store: Cards, connection: string) =>
  expect.poll(() => store.status.current.connection, { timeout: DEADLINE_MS }).toBe(connection)

describe('a relay with the configuration of the documentation, and clients with tokens of its command', () => {
  test('[SEC-5] [SEC-7] [SEC-15] lets a writer write, a reader read, an owner decide, and a stranger nothing', async () => {
    const config = writeConfig()
    const url = await startRelay(config)
    const [writing, reading, elsewhere] = await Promise.all([
      tokenFor(config, '--user', 'ada', '--space', 'team-42=write', '--expires', '1h'),
      tokenFor(config, '--user', 'bob', '--space', '*=read'),
      tokenFor(config, '--user', 'eve', '--space', 'team-43=admin'),
    ])

    const ada = await open(url, 'ada', () => writing)
    const bob = await open(url, 'bob', () => reading)
    const made = ada.cards.insert({ id: 'one', title: 'Hello', owner: 'ada' })
    await made.when('synced')
    await expect.poll(() => bob.cards.get('one')?.title, { timeout: DEADLINE_MS }).toBe('Hello')

    const change = bob.cards.update('one', (card) => {
      card.title = 'Mine'
    })
    await expect(change.when('synced')).rejects.toMatchObject({ reason: 'forbidden' })
    expect(ada.cards.get('one')?.title).toBe('Hello')
    expect(bob.cards.get('one')?.title).toBe('Hello')

    const given = ada.cards.insert({ id: 'two', title: 'For Bob', owner: 'bob' })
    await given.when('synced')
    const taken = ada.cards.update('two', (card) => {
      card.owner = 'ada'
    })
    await expect(taken.when('synced')).rejects.toMatchObject({
      reason: 'forbidden',
      message: expect.stringContaining('Only its owner may change a card.'),
    })

    const empty = ada.cards.insert({ id: 'three', title: '', owner: 'ada' })
    await expect(empty.when('synced')).rejects.toMatchObject({
      reason: 'invalid',
      message: expect.stringContaining('title'),
    })

    const eve = await open(url, 'eve', () => elsewhere)
    await reaches(eve, 'unauthorized')
    expect(eve.cards.query().current).toEqual([])

    const mallory = await open(url, 'ada', () => reading)
    await reaches(mallory, 'unauthorized')

    const page = new WebSocket(url, { origin: 'https://evil.example' })
    const [, response] = (await once(page, 'unexpected-response')) as [
      unknown,
      { readonly statusCode: number },
    ]
    expect(response.statusCode).toBe(403)
    page.on('error', () => undefined).terminate()
  })

  test('[SEC-6] keeps what is written without a good token, and takes it with one', async () => {
    const config = writeConfig()
    const url = await startRelay(config)
    let token = await tokenFor(config, '--user', 'ada', '--space', 'team-43=write')
    const ada = await open(url, 'ada', () => token)
    const { when } = ada.cards.insert({ id: 'one', title: 'Kept', owner: 'ada' })
    await when('saved')
    await reaches(ada, 'unauthorized')
    expect(ada.status.current).toMatchObject({ pending: 1, failed: 0 })
    token = await tokenFor(config, '--user', 'ada', '--space', 'team-42=write')
    ada.reconnect()
    await when('synced')
    expect(ada.cards.get('one')).toMatchObject({ title: 'Kept', $status: 'synced' })
  })
})
