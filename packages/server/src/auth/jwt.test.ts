import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  exportJWK,
  exportSPKI,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Log, silentLog } from '../log.js'
import type { Credentials, Proof } from '../relay/index.js'
import { createJwtAuthenticator } from './jwt.js'
import type { JwtOptions } from './jwt-options.js'
import { signToken } from './token.js'

const SECRET = 'a secret of more than 32 bytes, for tests'
const NOW = 1_800_000_000_000
const clock = { now: () => NOW }
/** Seconds. */
const now = NOW / 1000

function credentials(token: string): Credentials {
  return { user: 'ada', token, replica: 'replica-a', remoteAddress: undefined }
}

async function prove(options: JwtOptions, token: string): Promise<Proof> {
  return createJwtAuthenticator(options, { clock })(credentials(token))
}

const claims = { sub: 'ada', iat: now - 10, exp: now + 60, spaces: { team: 'write' } }

function sign(
  payload: Readonly<Record<string, unknown>>,
  { secret = SECRET, alg = 'HS256' }: { readonly secret?: string; readonly alg?: string } = {},
): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret))
}

describe('a token that is signed with the secret', () => {
  it('says who, until when and where', async () => {
    expect(await prove({ secret: SECRET }, await sign(claims))).toEqual({
      user: 'ada',
      spaces: { team: 'write' },
      issuedAt: (now - 10) * 1000,
      // The clock tolerance of 5 s is part of it: until then the same token would be taken again.
      expiresAt: (now + 65) * 1000,
    })
  })

  it('without spaces opens none', async () => {
    const { spaces: _, ...rest } = claims
    expect(await prove({ secret: SECRET }, await sign(rest))).toMatchObject({ spaces: {} })
  })

  it('may have its user and its spaces in other claims', async () => {
    const options = {
      secret: SECRET,
      userClaim: 'email',
      spacesClaim: 'https://app.example/spaces',
    }
    const token = await sign({
      exp: now + 60,
      sub: 'auth0|1',
      email: 'ada@app.example',
      'https://app.example/spaces': { '*': 'read' },
    })
    expect(await prove(options, token)).toMatchObject({
      user: 'ada@app.example',
      spaces: { '*': 'read' },
      issuedAt: 0,
    })
  })

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['has expired', { ...claims, exp: now - 6 }],
    ['never expires', { ...claims, exp: undefined }],
    ['is not valid yet', { ...claims, nbf: now + 6 }],
    ['names nobody', { ...claims, sub: undefined }],
    ['names no text', { ...claims, sub: 5 }],
    ['has a role that there is not', { ...claims, spaces: { team: 'owner' } }],
    ['has no roles by space', { ...claims, spaces: 'admin' }],
    ['has a list of roles', { ...claims, spaces: ['admin'] }],
  ])('and %s proves nothing', async (_name, payload) => {
    expect(await prove({ secret: SECRET }, await sign(payload))).toBeUndefined()
  })

  it.each([
    ['has expired', { ...claims, exp: now - 4 }],
    ['is not valid yet', { ...claims, nbf: now + 4 }],
  ])('and %s by less than the tolerance of 5 s counts', async (_name, payload) => {
    expect(await prove({ secret: SECRET }, await sign(payload))).toMatchObject({ user: 'ada' })
  })

  it.each<[string, JwtOptions, boolean]>([
    ['the issuer that is expected', { issuer: 'https://id.example' }, true],
    ['one of them', { issuer: ['https://other.example', 'https://id.example'] }, true],
    ['another issuer', { issuer: 'https://other.example' }, false],
    ['the audience that is expected', { audience: 'tidemark' }, true],
    ['another audience', { audience: 'mail' }, false],
  ])('and has %s: %o', async (_name, options, counts) => {
    const token = await sign({ ...claims, iss: 'https://id.example', aud: 'tidemark' })
    const proof = await prove({ secret: SECRET, ...options }, token)
    expect(proof !== undefined).toBe(counts)
  })

  it('without an issuer is none of an issuer', async () => {
    const options = { secret: SECRET, issuer: 'https://id.example' }
    expect(await prove(options, await sign(claims))).toBeUndefined()
  })
})

describe('a token that proves nothing', () => {
  it.each([
    ['is empty', async () => ''],
    ['is no token', async () => 'a.b.c'],
    ['is not signed', async () => new UnsecuredJWT(claims).encode()],
    ['is signed with another secret', () => sign(claims, { secret: `${SECRET}!` })],
    ['is signed with another algorithm', () => sign(claims, { alg: 'HS512' })],
    [
      'was changed after it was signed',
      async () => {
        const [header, , signature] = (await sign(claims)).split('.')
        const forged = { ...claims, sub: 'root' }
        return [header, Buffer.from(JSON.stringify(forged)).toString('base64url'), signature].join(
          '.',
        )
      },
    ],
  ])('%s', async (_name, make) => {
    expect(await prove({ secret: SECRET }, await make())).toBeUndefined()
  })

  it('leaves its reason in the log, and itself not', async () => {
    const lines: string[] = []
    const log: Log = { ...silentLog, info: (...line) => void lines.push(JSON.stringify(line)) }
    const token = await sign({ ...claims, exp: 5 })
    await createJwtAuthenticator({ secret: SECRET }, { clock, log })(credentials(token))
    expect(lines.join()).toContain('ERR_JWT_EXPIRED')
    expect(lines.join()).not.toContain(token.split('.')[1])
  })
})

interface Issuer {
  readonly jwks: string
  /** What it publishes now. */
  keys: readonly JWK[]
  /** What it answers with. */
  status: number
  readonly fetches: number
  close(): Promise<void>
}

async function startIssuer(...keys: readonly JWK[]): Promise<Issuer> {
  let fetches = 0
  const server = createServer((_request, response) => {
    fetches += 1
    response.statusCode = issuer.status
    response.end(JSON.stringify({ keys: issuer.keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    if (server.listening) await new Promise((done) => server.close(done))
  }
  onTestFinished(close)
  const { port } = server.address() as AddressInfo
  const issuer: Issuer = {
    jwks: `http://127.0.0.1:${port}/keys`,
    keys,
    status: 200,
    get fetches() {
      return fetches
    },
    close,
  }
  return issuer
}

interface IssuerKey extends GenerateKeyPairResult {
  readonly jwk: JWK
  sign(payload?: Readonly<Record<string, unknown>>): Promise<string>
}

async function makeKey(kid: string, alg = 'ES256'): Promise<IssuerKey> {
  const pair = await generateKeyPair(alg, { extractable: true })
  return {
    ...pair,
    jwk: { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' },
    sign: (payload = claims) =>
      new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(pair.privateKey),
  }
}

describe('published keys', () => {
  it.each(['ES256', 'RS256', 'PS256', 'EdDSA'])(
    'of %s are taken, and fetched once',
    async (alg) => {
      const key = await makeKey('one', alg)
      const issuer = await startIssuer(key.jwk)
      const authenticate = createJwtAuthenticator({ jwks: issuer.jwks }, { clock })
      for (let again = 0; again < 3; again++)
        expect(await authenticate(credentials(await key.sign()))).toMatchObject({ user: 'ada' })
      expect(issuer.fetches).toBe(1)
    },
  )

  it('may be another one tomorrow: it is fetched when a token names it', async () => {
    const [old, fresh] = [await makeKey('old'), await makeKey('fresh')]
    const issuer = await startIssuer(old.jwk)
    const authenticate = createJwtAuthenticator({ jwks: issuer.jwks }, { clock })
    const start = Date.now()
    expect(await authenticate(credentials(await old.sign()))).toMatchObject({ user: 'ada' })
    issuer.keys = [fresh.jwk]
    // A moment after the keys were fetched they are not fetched again, and nothing is said about the token.
    await expect(authenticate(credentials(await fresh.sign()))).rejects.toThrow("can't be had now")
    expect(issuer.fetches).toBe(1)
    withTime(start + 60_000)
    expect(await authenticate(credentials(await fresh.sign()))).toMatchObject({ user: 'ada' })
    expect(issuer.fetches).toBe(2)
    // The one before is no longer published.
    withTime(start + 120_000)
    expect(await authenticate(credentials(await old.sign()))).toBeUndefined()
    expect(issuer.fetches).toBe(3)
  })

  it('that nobody publishes prove nothing, and are not asked for without end', async () => {
    const [known, unknown] = [await makeKey('known'), await makeKey('unknown')]
    const issuer = await startIssuer(known.jwk)
    const authenticate = createJwtAuthenticator({ jwks: issuer.jwks }, { clock })
    expect(await authenticate(credentials(await unknown.sign()))).toBeUndefined()
    for (let again = 0; again < 20; again++)
      await expect(authenticate(credentials(await unknown.sign()))).rejects.toThrow("can't be had")
    expect(issuer.fetches).toBe(1)
  })

  it('that somebody else has published under the same name prove nothing', async () => {
    const [real, forged] = [await makeKey('one'), await makeKey('one')]
    const issuer = await startIssuer(real.jwk)
    expect(await prove({ jwks: issuer.jwks }, await forged.sign())).toBeUndefined()
  })

  it('are no secret: a token that is signed with one as such proves nothing', async () => {
    const key = await makeKey('one', 'RS256')
    const issuer = await startIssuer(key.jwk)
    const pem = await exportSPKI(key.publicKey)
    for (const secret of [pem, JSON.stringify(key.jwk)]) {
      const token = await sign(claims, { secret })
      expect(await prove({ jwks: issuer.jwks }, token)).toBeUndefined()
    }
    expect(await prove({ jwks: issuer.jwks }, new UnsecuredJWT(claims).encode())).toBeUndefined()
  })

  it('of an algorithm that is not on the list prove nothing', async () => {
    const key = await makeKey('one', 'RS256')
    const issuer = await startIssuer(key.jwk)
    const options = { jwks: issuer.jwks, algorithms: ['ES256'] }
    expect(await prove(options, await key.sign())).toBeUndefined()
  })

  it.each([
    ['answers with an error', 500],
    ['answers with a redirection', 302],
    ['is gone', undefined],
  ])('whose issuer %s are no verdict on the token', async (_name, status) => {
    const key = await makeKey('one')
    const issuer = await startIssuer(key.jwk)
    if (status === undefined) await issuer.close()
    else issuer.status = status
    await expect(prove({ jwks: issuer.jwks }, await key.sign())).rejects.toThrow("can't be had now")
  })
})

/** For the age of the keys, which jose takes from the system. */
function withTime(time: number): void {
  const real = Date.now
  Date.now = () => time
  onTestFinished(() => {
    Date.now = real
  })
}

describe('options', () => {
  it.each<[string, JwtOptions]>([
    ['jwt', {}],
    ['jwt', { secret: SECRET, jwks: 'https://id.example/keys' }],
    ['jwt.secret', { secret: 'short' }],
    ['jwt.jwks', { jwks: 'http://id.example/keys' }],
    ['jwt.jwks', { jwks: 'keys' }],
    ['jwt.algorithms', { secret: SECRET, algorithms: ['none'] }],
    ['jwt.algorithms', { secret: SECRET, algorithms: ['RS256'] }],
    ['jwt.algorithms', { jwks: 'https://id.example/keys', algorithms: ['HS256'] }],
    ['jwt.algorithms', { secret: SECRET, algorithms: [] }],
  ])('that are wrong in %s are refused at once: %o', (key, options) => {
    expect(() => createJwtAuthenticator(options)).toThrow(
      expect.objectContaining({
        code: 'config-invalid',
        message: expect.stringContaining(`The setting ${key} `),
      }),
    )
  })
})

describe('signing', () => {
  it('makes a token that is taken, with issuer and audience', async () => {
    const options = { secret: SECRET, issuer: 'https://id.example', audience: 'tidemark' }
    const spaces = { 'team-42': 'write', '*': 'read' } as const
    const token = await signToken(options, { user: 'ada', spaces, expiresIn: 60, now: NOW })
    expect(await prove(options, token)).toMatchObject({ user: 'ada', spaces })
    expect(await prove({ ...options, audience: 'mail' }, token)).toBeUndefined()
  })

  it('takes a secret', async () => {
    const jwks = 'https://id.example/keys'
    const request = { user: 'ada', spaces: {}, expiresIn: 60 }
    await expect(signToken({ jwks }, request)).rejects.toMatchObject({ code: 'config-invalid' })
  })
})
