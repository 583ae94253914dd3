import { configInvalid } from '../errors.js'
import { isLoopback } from '../http/origin.js'

/** How tokens are checked: with a secret that the relay shares with whoever signs them, or with their published keys. */
export interface JwtOptions {
  /** The secret of HS256, HS384 or HS512, of 32 bytes at least. */
  readonly secret?: string | Uint8Array
  /** Where the issuer publishes its keys (a JSON Web Key Set): `https:`, or `http:` on this machine. */
  readonly jwks?: string | URL
  /** Default: HS256 for a secret; every asymmetric one for published keys. `none` never counts. */
  readonly algorithms?: readonly string[]
  /** `iss` has to be (one of) these. Default: not looked at. */
  readonly issuer?: string | readonly string[]
  /** `aud` has to have (one of) these. Default: not looked at. */
  readonly audience?: string | readonly string[]
  /** The claim that holds the user's id. Default: `sub`. */
  readonly userClaim?: string
  /** The claim that holds roles by space. Default: `spaces`. */
  readonly spacesClaim?: string
}

const SYMMETRIC: readonly string[] = ['HS256', 'HS384', 'HS512']
const ASYMMETRIC: readonly string[] = [
  ...['RS256', 'RS384', 'RS512'],
  ...['PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512'],
  ...['EdDSA', 'Ed25519'],
]
/** RFC 7518, 3.2: a key of the size of the hash or larger. */
const MIN_SECRET_BYTES = 32

export type KeySource =
  | { readonly kind: 'secret'; readonly secret: Uint8Array }
  | { readonly kind: 'jwks'; readonly url: URL }

export interface CheckedJwtOptions {
  readonly keys: KeySource
  readonly algorithms: readonly string[]
  readonly issuer: readonly string[] | undefined
  readonly audience: readonly string[] | undefined
  readonly userClaim: string
  readonly spacesClaim: string
}

/** @throws RelayStartError `config-invalid` naming the key */
export function checkJwtOptions(options: JwtOptions, name = 'jwt'): CheckedJwtOptions {
  const { secret, jwks, issuer, audience, userClaim = 'sub', spacesClaim = 'spaces' } = options
  if ((secret === undefined) === (jwks === undefined)) {
    throw configInvalid(
      name,
      'needs a secret or the address of published keys (jwks), and not both',
    )
  }
  const keys: KeySource =
    jwks === undefined
      ? { kind: 'secret', secret: bytesOf(secret ?? '', `${name}.secret`) }
      : { kind: 'jwks', url: urlOf(jwks, `${name}.jwks`) }
  const possible = keys.kind === 'secret' ? SYMMETRIC : ASYMMETRIC
  const { algorithms = keys.kind === 'secret' ? ['HS256'] : ASYMMETRIC } = options
  for (const algorithm of algorithms) {
    if (possible.includes(algorithm)) continue
    throw configInvalid(
      `${name}.algorithms`,
      `has ${JSON.stringify(algorithm)}; with ${keys.kind === 'secret' ? 'a secret' : 'published keys'} these are possible: ${possible.join(', ')}`,
    )
  }
  if (algorithms.length === 0) throw configInvalid(`${name}.algorithms`, 'is empty')
  return {
    keys,
    algorithms,
    issuer: listOf(issuer),
    audience: listOf(audience),
    userClaim,
    spacesClaim,
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value
}

function bytesOf(secret: string | Uint8Array, name: string): Uint8Array {
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
  if (bytes.length >= MIN_SECRET_BYTES) return bytes
  throw configInvalid(
    name,
    `has ${bytes.length} bytes; it needs ${MIN_SECRET_BYTES} at least, such as those of \`openssl rand -hex 32\``,
  )
}

/** What anybody on the way could change must not say who is who. */
function urlOf(jwks: string | URL, name: string): URL {
  const url = URL.canParse(String(jwks)) ? new URL(String(jwks)) : undefined
  if (url?.protocol === 'https:') return url
  if (url?.protocol === 'http:' && isLoopback(url.hostname)) return url
  throw configInvalid(name, 'is no address with https: (or http: on this machine)')
}
