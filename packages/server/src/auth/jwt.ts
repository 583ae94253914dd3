import type { Clock } from '@tidemark/core'
import {
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose'
import { type Log, silentLog } from '../log.js'
import { areSpaceRoles } from '../relay/identity.js'
import type { Authenticate, Identity } from '../relay/index.js'
import { checkJwtOptions, type JwtOptions } from './jwt-options.js'

/** Clocks of servers differ by that much at most; `nbf` and `exp` are believed that much early and late. */
const CLOCK_TOLERANCE_S = 5
/** For published keys to arrive. */
const FETCH_TIMEOUT_MS = 5_000
/** Keys are fetched anew when they are so old, and when a token names one that isn't among them, but not more often than that. */
const KEYS_MAX_AGE_MS = 600_000
const KEYS_COOLDOWN_MS = 5_000

/**
 * Authenticates by JSON Web Tokens: `sub` is the user, `exp` ends the connection, `spaces` holds roles by space. A token
 * without `spaces` opens none. Throws when the published keys can't be had: the client then comes back later.
 *
 * @throws RelayStartError `config-invalid`
 */
export function createJwtAuthenticator(
  options: JwtOptions,
  { clock, log = silentLog }: { readonly clock?: Pick<Clock, 'now'>; readonly log?: Log } = {},
): Authenticate {
  const { keys, algorithms, issuer, audience, userClaim, spacesClaim } = checkJwtOptions(options)
  const key = keys.kind === 'secret' ? keys.secret : publishedKeys(keys.url)
  const expected: JWTVerifyOptions = {
    algorithms: [...algorithms],
    clockTolerance: CLOCK_TOLERANCE_S,
    requiredClaims: ['exp', userClaim],
    ...(issuer === undefined ? {} : { issuer: [...issuer] }),
    ...(audience === undefined ? {} : { audience: [...audience] }),
  }

  async function verify(token: string): Promise<JWTPayload> {
    const now = new Date(clock?.now() ?? Date.now())
    const checks = { ...expected, currentDate: now }
    const { payload } = await (typeof key === 'function'
      ? jwtVerify(token, key, checks)
      : jwtVerify(token, key, checks))
    return payload
  }

  return async ({ token, remoteAddress }) => {
    const refuse = (reason: string): undefined => {
      log.info({ reason, remoteAddress }, 'a token was refused')
    }
    let claims: JWTPayload
    try {
      claims = await verify(token)
    } catch (error) {
      if (error instanceof KeysUnavailable || !(error instanceof errors.JOSEError)) throw error
      return refuse(error.code)
    }
    const { exp = 0, iat = 0, [userClaim]: user, [spacesClaim]: spaces = {} } = claims
    if (typeof user !== 'string') return refuse(`the claim ${userClaim} is no text`)
    if (!areSpaceRoles(spaces)) return refuse(`the claim ${spacesClaim} is not roles by space`)
    return {
      user,
      spaces,
      issuedAt: iat * 1000,
      // For so long the same token would be accepted again.
      expiresAt: (exp + CLOCK_TOLERANCE_S) * 1000,
    } satisfies Identity
  }
}

/** Nothing was said about the token. */
class KeysUnavailable extends Error {
  override readonly name: string = 'KeysUnavailable'
}

function publishedKeys(url: URL): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cacheMaxAge: KEYS_MAX_AGE_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
  })
  return async (header, token) => {
    const wasJustFetched = keys.coolingDown
    try {
      return await keys(header, token)
    } catch (cause) {
      const isKnown =
        cause instanceof errors.JWKSNoMatchingKey ||
        cause instanceof errors.JWKSMultipleMatchingKeys ||
        cause instanceof errors.JOSENotSupported
      // Keys may have changed since they were fetched a moment ago.
      if (isKnown && !(wasJustFetched && cause instanceof errors.JWKSNoMatchingKey)) throw cause
      throw new KeysUnavailable(`The keys at ${url.href} can't be had now.`, { cause })
    }
  }
}
