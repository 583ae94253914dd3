import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createJwtAuthenticator } from './auth/index.js'
import { addTokenCommand } from './token-command.js'

const SECRET = 'a secret of more than 32 bytes, for tests'

function configWith(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-token-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'relay.mjs')
  writeFileSync(file, `export const config = ${text}`)
  return file
}

async function run(...parameters: readonly string[]): Promise<string> {
  const lines: string[] = []
  const program = new Command().exitOverride()
  addTokenCommand(program, (line) => lines.push(line))
  for (const command of program.commands) {
    command.exitOverride().configureOutput({ writeErr: () => undefined })
  }
  await program.parseAsync(['token', ...parameters], { from: 'user' })
  return lines.join('\n')
}

describe('tidemark token', () => {
  it('signs a token that the relay of the same configuration takes', async () => {
    const jwt = { secret: SECRET, issuer: 'https://id.example', audience: 'tidemark' }
    const config = configWith(JSON.stringify({ auth: { jwt } }))
    const spaces = ['--space', 'team-42=write', '--space', '*=read']
    const token = await run('--config', config, '--user', 'ada', ...spaces, '--expires', '90s')
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
    await expect(run('--config', configWith(text), '--user', 'ada')).rejects.toMatchObject({
      code: 'config-invalid',
    })
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
    await expect(run('--config', config, ...parameters)).rejects.toMatchObject({
      code: expect.stringMatching(/^commander\./),
    })
  })
})
