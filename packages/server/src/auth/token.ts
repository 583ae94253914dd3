import type { Role } from '@tidemark/core/protocol'
import { SignJWT } from 'jose'
import { configInvalid } from '../errors.js'
import { checkJwtOptions, type JwtOptions } from './jwt-options.js'

export interface TokenRequest {
  readonly user: string
  /** Roles by space; `*` for all others. */
  readonly spaces: Readonly<Record<string, Role>>
  /** Seconds from now. */
  readonly expiresIn: number
  /** Milliseconds since the epoch. Default: now. */
  readonly now?: number
}

/**
 * Signs a token that a relay with these options takes: for development, scripts and tests.
 *
 * @throws RelayStartError `config-invalid` where there is no secret to sign with
 */
export async function signToken(options: JwtOptions, request: TokenRequest): Promise<string> {
  const { keys, algorithms, issuer, audience, userClaim, spacesClaim } = checkJwtOptions(options)
  if (keys.kind !== 'secret') {
    throw configInvalid(
      'jwt.jwks',
      'holds keys that tokens are checked with; only their issuer can sign',
    )
  }
  const { user, spaces, expiresIn, now = Date.now() } = request
  const issuedAt = Math.floor(now / 1000)
  const token = new SignJWT({ [userClaim]: user, [spacesClaim]: spaces })
    .setProtectedHeader({ alg: algorithms[0] ?? 'HS256', typ: 'JWT' })
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + expiresIn)
  if (issuer?.[0] !== undefined) token.setIssuer(issuer[0])
  if (audience?.[0] !== undefined) token.setAudience(audience[0])
  return token.sign(keys.secret)
}
