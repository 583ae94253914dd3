import { describe, expect, it } from 'vitest'
import { readSession } from './session.js'

const PAGE = { protocol: 'http:', host: 'localhost:8787', search: '' }

function createStorage() {
  const values = new Map<string, string>()
  return () => ({
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
  })
}

describe('readSession', () => {
  it('opens the space that all browsers share, under a name that this browser keeps', () => {
    const storage = createStorage()
    const first = readSession(PAGE, storage)
    expect(first.space).toBe('bookmarks')
    expect(first.user).toMatch(/^[a-z]+-[a-z]+-\d+$/)
    expect(readSession(PAGE, storage)).toEqual(first)
  })

  it('takes the space and the user from the address', () => {
    const page = { ...PAGE, search: '?space=team&user=ada' }
    expect(readSession(page, createStorage())).toMatchObject({ space: 'team', user: 'ada' })
  })

  it('finds the relay where the page came from', () => {
    expect(readSession(PAGE, createStorage()).url).toBe('ws://localhost:8787/')
    const secure = { ...PAGE, protocol: 'https:', host: 'example.com' }
    expect(readSession(secure, createStorage()).url).toBe('wss://example.com/')
  })

  it('works where storage is blocked', () => {
    const blocked = () => {
      throw new Error('SecurityError')
    }
    expect(readSession(PAGE, blocked).user).not.toBe('')
  })
})
