import { describe, expect, it } from 'vitest'
import type { Log } from '../log.js'
import { createApp } from './app.js'

function createLoggedApp() {
  const errors: unknown[] = []
  const write = (fields: object, message: string): void => void errors.push({ ...fields, message })
  const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: write }
  const relay = { ready: () => ({ ready: false, reason: 'storage-failing' }) as const }
  const app = createApp({ relay, log })
  const failure = new Error('out of order')
  app.get('/broken', () => {
    throw failure
  })
  return { app, errors, failure }
}

describe('the log of requests', () => {
  it('has those that failed, without what was asked', async () => {
    const { app, errors, failure } = createLoggedApp()
    const response = await app.request('/broken?token=secret')
    expect([response.status, await response.json()]).toEqual([500, { error: 'internal' }])
    expect(errors).toEqual([
      { method: 'GET', path: '/broken', status: 500, err: failure, message: 'a request failed' },
    ])
  })

  it('has no others', async () => {
    const { app, errors } = createLoggedApp()
    for (const path of ['/health', '/ready', '/nothing-here']) await app.request(path)
    expect(errors).toEqual([])
  })
})
