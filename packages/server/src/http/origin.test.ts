import { expect, it } from 'vitest'
import { isAllowedOrigin, isLoopback } from './origin.js'

it.each([
  [undefined, 'localhost:8787'],
  ['http://localhost:5173', '127.0.0.1:8787'],
  ['http://127.0.0.1:8787', '127.0.0.1:8787'],
  ['http://[::1]:5173', 'localhost:8787'],
  ['https://notes.example', 'notes.example'],
  ['https://notes.example:8443', 'Notes.Example:8443'],
])('[S13] lets %s in at %s', (origin, host) => {
  expect(isAllowedOrigin({ origin, host }, { authenticated: true })).toBe(true)
})

it.each([
  ['https://evil.example', 'localhost:8787'],
  ['https://evil.example', undefined],
  ['https://notes.example.evil.example', 'notes.example'],
  ['https://notes.example:8443', 'notes.example'],
  ['http://localhost.evil.example', 'localhost:8787'],
  ['http://127.0.0.1.evil.example', '127.0.0.1:8787'],
  ['null', 'localhost:8787'],
  ['', 'localhost:8787'],
])('[S13] [SEC-7] keeps %j out at %s', (origin, host) => {
  expect(isAllowedOrigin({ origin, host }, { authenticated: true })).toBe(false)
  expect(isAllowedOrigin({ origin, host }, { authenticated: false })).toBe(false)
})

it.each([
  [undefined, 'localhost:8787', true],
  ['http://localhost:5173', '127.0.0.1:8787', true],
  ['http://[::1]:5173', '[::1]:8787', true],
  ['http://rebound.example:8787', 'rebound.example:8787', false],
  ['http://localhost:8787', 'rebound.example:8787', false],
  ['https://notes.example', 'notes.example', false],
])('[S13] without authentication: %s at %s is let in: %s', (origin, host, expected) => {
  expect(isAllowedOrigin({ origin, host }, { authenticated: false })).toBe(expected)
})

const origins = ['https://app.example', 'http://localhost:5173']

it.each([
  ['https://app.example', 'relay.example', true, true],
  ['http://localhost:5173', 'relay.example', true, true],
  ['https://relay.example', 'relay.example', true, true],
  [undefined, 'relay.example', true, true],
  ['http://localhost:5174', 'relay.example', true, false],
  ['https://app.example:8443', 'relay.example', true, false],
  ['http://app.example', 'relay.example', true, false],
  ['https://app.example.evil.example', 'relay.example', true, false],
  ['null', 'relay.example', true, false],
  ['https://app.example', 'localhost:8787', false, true],
  ['https://app.example', 'rebound.example', false, false],
  ['http://localhost:5174', 'localhost:8787', false, false],
])(
  '[S13] [SEC-7] with a list of origins: %s at %s, authenticated %s: %s',
  (origin, host, authenticated, expected) => {
    expect(isAllowedOrigin({ origin, host }, { authenticated, origins })).toBe(expected)
  },
)

it.each([
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.1.2', false],
  ['127.0.0.1.example', false],
])('knows whether %s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected)
})
