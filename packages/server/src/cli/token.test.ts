import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createJwtAuthenticator } from '../auth/index.js'
import { makeDirectory, run } from './process.test-support.js'

const SECRET = 'a secret of more than 32 bytes, for tests'

function configWith(text: string): string {
  const file = join(makeDirectory(), 'relay.mjs')
  writeFileSync(file, `export const config = ${text}`)
  return file
}

describe('tidemark token', () => {
  it('signs a token that the relay of the same configuration takes', async () => {
    const jwt = { secret: SECRET, issuer: 'https://id.example', audience: 'tidemark' }
    const config = configWith(JSON.stringify({ auth: { jwt } }))
    const spaces = ['--space', 'team-42=write', '--space', '*=read']
    const user = ['--config', config, '--user', 'ada']
    const { output } = await run('token', ...user, ...spaces, '--expires', '90s')
    const token = output.trim()
    const proof = await createJwtAuthenticator(jwt)({
      user: 'ada',
      token,
      replica: 'replica-a',
      remoteAddress: undefined,
    })
    expect(proof).toMatchObject({ user: 'ada', spaces: { 'team-42': 'write', '*': 'read' } })
    const left = (typeof proof === 'object' ? (proof.expiresAt ?? 0) : 0) - Date.now()
    expect(left).toBeGreaterThan(80_000)
    expect(left).toBeLessThanOrEqual(95_000)
  })

  it.each([
    ['{}'],
    ['{ auth: () => undefined }'],
    ["{ auth: { jwt: { jwks: 'https://id.example/keys' } } }"],
  ])('has nothing to sign with in %s', async (text) => {
    const ended = await run('token', '--config', configWith(text), '--user', 'ada')
    expect(ended).toMatchObject({ code: 1, output: '' })
    expect(ended.errors).toMatch(/ \[config-invalid\]\n$/)
  })

  it.each([
    ['--user', 'a/b'],
    ['--user', 'ada', '--space', 'team'],
    ['--user', 'ada', '--space', 'team=owner'],
    ['--user', 'ada', '--space', '../etc=read'],
    ['--user', 'ada', '--expires', '1'],
    ['--user', 'ada', '--expires', '0h'],
    ['--user', 'ada', '--expires', 'never'],
    ['--space', 'team=read'],
  ])('takes no %s %s %s %s', async (...parameters) => {
    const config = configWith(`{ auth: { jwt: { secret: '${SECRET}' } } }`)
    const ended = await run('token', '--config', config, ...parameters)
    expect(ended).toMatchObject({ code: 1, output: '', errors: expect.stringMatching(/^error: /) })
  })
})
