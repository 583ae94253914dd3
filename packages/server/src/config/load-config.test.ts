import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from './load-config.js'

function directoryWith(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-config-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}

const SECRET = 'x'.repeat(32)

describe('a configuration', () => {
  it.each([
    ['tidemark.config.mjs', 'export const config = { port: 5 }'],
    ['tidemark.config.mjs', 'export default { port: 5 }'],
    ['tidemark.config.js', 'module.exports = { config: { port: 5 } }'],
    ['tidemark.config.ts', 'const port: number = 5\nexport const config = { port } as const'],
    [
      'tidemark.config.ts',
      'interface Config { port: number }\nexport default { port: 5 } satisfies Config',
    ],
  ])('in %s is found where the command runs: %s', async (name, text) => {
    const directory = directoryWith({ [name]: text })
    const { config, file } = await loadConfig(undefined, directory)
    expect([config, file]).toEqual([{ port: 5 }, join(directory, name)])
  })

  it('may have another name, and need not be there at all', async () => {
    const directory = directoryWith({ 'relay.mjs': 'export const config = { port: 5 }' })
    expect(await loadConfig('relay.mjs', directory)).toMatchObject({ config: { port: 5 } })
    expect(await loadConfig(undefined, directory)).toEqual({ config: {}, file: undefined })
  })

  it('has its paths seen from itself', async () => {
    const directory = directoryWith({
      'c.mjs': "export const config = { data: 'd', public: '../p' }",
    })
    expect((await loadConfig(join(directory, 'c.mjs'), '/')).config).toEqual({
      data: join(directory, 'd'),
      public: join(directory, '..', 'p'),
    })
  })

  it('takes functions, secrets and schemas as they are', async () => {
    const directory = directoryWith({
      'tidemark.config.mjs': `export const config = {
        auth: { jwt: { secret: '${SECRET}', issuer: 'https://id.example' } },
        authorize: () => true,
        schema: { version: 1, collections: {} },
        origins: ['https://app.example'],
        limits: { maxFrameBytes: 1000 },
        logLevel: 'warn',
      }`,
    })
    const { config } = await loadConfig(undefined, directory)
    expect(Object.keys(config)).toEqual(
      expect.arrayContaining(['auth', 'authorize', 'schema', 'origins', 'limits', 'logLevel']),
    )
    expect(config.authorize).toBeTypeOf('function')
  })
})

describe('a configuration is refused', () => {
  it('when it was named and is not there', async () => {
    await expect(loadConfig('none.mjs', directoryWith({}))).rejects.toMatchObject({
      code: 'config-missing',
    })
  })

  it.each([
    ['tidemark.config.mjs', 'export const config = {'],
    ['tidemark.config.ts', 'export const config: = {}'],
    ['tidemark.config.mjs', "throw new Error('no secret in the environment')"],
    ['tidemark.config.mjs', 'export const settings = {}'],
  ])('when it can not be run, or exports none: %s: %s', async (name, text) => {
    await expect(loadConfig(undefined, directoryWith({ [name]: text }))).rejects.toMatchObject({
      code: 'config-unreadable',
      message: expect.stringContaining(name),
    })
  })

  it.each([
    ['port', '{ port: 99999 }'],
    ['port', "{ port: '8787' }"],
    ['prot', '{ prot: 8787 }'],
    ['host', '{ host: 5 }'],
    ['logLevel', "{ logLevel: 'loud' }"],
    ['auth', "{ auth: 'secret' }"],
    ['auth.jwt', '{ auth: { jwt: {} } }'],
    ['auth.jwt', '{ auth: {} }'],
    ['auth.jwt.secret', "{ auth: { jwt: { secret: 'short' } } }"],
    ['auth.jwt.secrets', `{ auth: { jwt: { secrets: '${SECRET}' } } }`],
    ['auth.jwt.jwks', "{ auth: { jwt: { jwks: 'http://id.example' } } }"],
    ['auth.jwt.algorithms', `{ auth: { jwt: { secret: '${SECRET}', algorithms: ['none'] } } }`],
    ['auth.jwt.issuer', `{ auth: { jwt: { secret: '${SECRET}', issuer: '' } } }`],
    ['auth.issuer', `{ auth: { jwt: { secret: '${SECRET}' }, issuer: 'x' } }`],
    ['authorize', '{ authorize: true }'],
    ['schema', '{ schema: 5 }'],
    ['origins.0', "{ origins: ['app.example'] }"],
    ['origins.0', "{ origins: ['https://app.example/'] }"],
    ['origins', "{ origins: '*' }"],
    ['limits.maxFrameBytes', "{ limits: { maxFrameBytes: '1' } }"],
    ['limits.maxFrames', '{ limits: { maxFrames: 1 } }'],
    ['config', '5'],
  ])('when %s is wrong, by that name: %s', async (key, text) => {
    const directory = directoryWith({ 'tidemark.config.mjs': `export const config = ${text}` })
    await expect(loadConfig(undefined, directory)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining(`The setting ${key} `),
    })
  })
})
