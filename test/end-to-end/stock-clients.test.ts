import { collection, defineSchema, text } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import { describe, expect, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import * as z from 'zod'
import type { RelayProcess } from '../support/relay-process.js'
import { test } from '../support/stage.js'
import { serveEditor } from './editor/editor-site.js'

const ROOM = 'team/notes/n'
const DEADLINE = { timeout: 40_000 }
const schema = defineSchema({
  version: 1,
  collections: { notes: collection({ title: z.string().default(''), body: text() }) },
})

async function tidemarkClient(relay: RelayProcess) {
  const store = createStore({
    schema,
    user: 'ada',
    space: 'team',
    url: relay.url.replace('http', 'ws'),
  })
  onTestFinished(() => store.close())
  await store.ready
  return store
}

function stockClient(relay: RelayProcess, doc: Y.Doc = new Y.Doc()) {
  const provider = new WebsocketProvider(`${relay.url.replace('http', 'ws')}/yjs`, ROOM, doc, {
    // The type is the browser's.
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    // Nothing is to pass between documents but what the relay passes.
    disableBc: true,
  })
  onTestFinished(() => provider.destroy())
  return { doc, provider, body: doc.getText('body') }
}

describe('stock Yjs clients', () => {
  test('[L24] [F6] type together with a Tidemark client, over a relay that stops and is killed', async ({
    stage,
  }) => {
    const relay = await stage.relay()
    const { notes } = await tidemarkClient(relay)
    await notes.insert({ id: 'n', title: 'Tides', body: 'Ebb' }).when('synced')
    const [bo, cy] = [stockClient(relay), stockClient(relay)]
    const live = notes.open('n')
    const texts = () => [bo.body, cy.body, live.text('body')].map(String)
    const agreeOn = (...parts: string[]) =>
      expect
        .poll(
          () => new Set(texts()).size === 1 && parts.every((p) => texts()[0]?.includes(p)),
          DEADLINE,
        )
        .toBe(true)

    await agreeOn('Ebb')
    bo.body.insert(0, 'bo ')
    live.text('body').insert(live.text('body').length, ' ada')
    cy.body.insert(cy.body.length, ' cy')
    await agreeOn('bo ', ' ada', ' cy')

    await relay.stop()
    bo.body.insert(0, 'away ')
    await relay.start()
    await agreeOn('away bo ')

    for (let round = 0; round < 3; round++) {
      bo.body.insert(bo.body.length, ` round${round}`)
      // Whatever a client saw of others is on the disk, whenever the relay dies.
      await expect.poll(() => String(cy.body), DEADLINE).toContain(`round${round}`)
      await relay.kill()
      cy.provider.disconnect()
      bo.provider.disconnect()
      await relay.start()
      const late = stockClient(relay)
      await expect.poll(() => String(late.body), DEADLINE).toContain(`round${round}`)
      late.provider.destroy()
      bo.provider.connect()
      cy.provider.connect()
    }
    await agreeOn('round0', 'round1', 'round2')
    await expect.poll(() => notes.get('n')?.body, DEADLINE).toBe(String(bo.body))
    expect(notes.get('n')).toMatchObject({ title: 'Tides', $status: 'synced' })
  })

  test('[L24] an entity that a stock client makes is one for Tidemark clients', async ({
    stage,
  }) => {
    const relay = await stage.relay()
    const { notes } = await tidemarkClient(relay)
    stockClient(relay).body.insert(0, 'made elsewhere')
    await expect.poll(() => notes.get('n')?.body, DEADLINE).toBe('made elsewhere')
    expect(notes.get('n')?.$version.sequence).toBeGreaterThan(0)
  })

  test('[L24] CodeMirror in two browsers edits a text together with a Tidemark client, with cursors and undo', async ({
    stage,
  }) => {
    const relay = await stage.relay()
    const site = await serveEditor()
    onTestFinished(() => site.close())
    const { notes } = await tidemarkClient(relay)
    await notes.insert({ id: 'n', title: 'Tides', body: 'Ebb' }).when('synced')
    const options = { relay: relay.url, room: ROOM }
    const bo = await site.open(await stage.profile('bo'), { ...options, name: 'bo' })
    const cy = await site.open(await stage.profile('cy'), { ...options, name: 'cy' })
    const agreeOn = async (expected: string) => {
      await expect.poll(() => bo.text(), DEADLINE).toBe(expected)
      await expect.poll(() => cy.text(), DEADLINE).toBe(expected)
      await expect.poll(() => notes.get('n')?.body, DEADLINE).toBe(expected)
    }
    await agreeOn('Ebb')
    await bo.type(' and flow')
    await agreeOn('Ebb and flow')
    await cy.type('!')
    notes.open('n').text('body').insert(0, 'Wind: ')
    await agreeOn('Wind: Ebb and flow!')

    // Each sees where the other one is.
    await bo.page.locator('.cm-ySelectionInfo', { hasText: 'cy' }).waitFor({ state: 'attached' })
    await cy.page.locator('.cm-ySelectionInfo', { hasText: 'bo' }).waitFor({ state: 'attached' })

    // Undo takes back one's own, and nobody else's.
    await bo.page.locator('.cm-content').focus()
    await bo.page.keyboard.press('Control+z')
    await agreeOn('Wind: Ebb!')
    await bo.page.keyboard.press('Control+y')
    await agreeOn('Wind: Ebb and flow!')

    await cy.page.close()
    await bo.page.locator('.cm-ySelectionInfo', { hasText: 'cy' }).waitFor({ state: 'detached' })
  })

  test('[L24] [L17] a browser that kept its document finds its text once after the relay has compacted it', async ({
    stage,
  }) => {
    const relay = await stage.relay()
    const site = await serveEditor()
    onTestFinished(() => site.close())
    const { notes } = await tidemarkClient(relay)
    await notes.insert({ id: 'n', title: 'Tides', body: '' }).when('synced')
    const profile = await stage.profile('bo')
    const options = { relay: relay.url, room: ROOM, name: 'bo', persisted: true }
    const first = await site.open(profile, options)
    await first.type('hello')
    await expect.poll(() => notes.get('n')?.body, DEADLINE).toBe('hello')
    await expect.poll(() => first.ask('stored'), DEADLINE).toBe('hello')
    await first.page.close()

    // Enough of it that the relay writes a new snapshot, and would renew a document that it may renew.
    for (let step = 0; step < 200; step++) {
      notes.update('n', (note) => {
        note.title = `Tides ${step}`
      })
    }
    const live = notes.open('n')
    live.text('body').insert(5, '!')
    live.flush()
    await expect.poll(() => notes.get('n')?.$status, DEADLINE).toBe('synced')
    const stored = await storedSizes(relay)
    expect(stored.snapshotBytes).toBeGreaterThan(0)
    expect(stored.generation).toBe('0')

    const second = await site.open(profile, options)
    expect(await second.ask('kept')).toBe('hello')
    await expect.poll(() => second.text(), DEADLINE).toBe('hello!')
    await expect.poll(() => second.ask('isSynced'), DEADLINE).toBe(true)
    await second.type('?')
    await expect.poll(() => notes.get('n')?.body, DEADLINE).toBe('hello!?')
    expect(await second.ask('refused')).toBe(undefined)
  })
})

/** What the relay's database says of the note, read while it runs. */
async function storedSizes({ data }: RelayProcess) {
  const { default: Database } = await import('libsql')
  const database = new Database(`${data}/tidemark.db`)
  try {
    const row: unknown = database
      .prepare(
        "SELECT snapshot_bytes, generation FROM entities WHERE collection = 'notes' AND id = 'n'",
      )
      .raw()
      .get()
    const [snapshotBytes, generation] = Array.isArray(row) ? row : []
    return { snapshotBytes: Number(snapshotBytes), generation: String(generation) }
  } finally {
    database.close()
  }
}
