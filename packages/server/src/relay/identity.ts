import { SPACE_NAME, USER_ID } from '@tidemark/core/entity'
import { CLOSE_CODES, type Role } from '@tidemark/core/protocol'
import type { Identity, Proof, SpaceRoles } from './ports.js'
import { Refusal } from './refusal.js'

/** Every space that isn't named itself. */
const ANY_SPACE = '*'
/** What a user may do for whom nothing was said: everything but what is kept for administrators. */
const EVERYWHERE: SpaceRoles = { [ANY_SPACE]: 'write' }
/** Without authentication: whoever reaches the relay is trusted. */
export const TRUSTED: SpaceRoles = { [ANY_SPACE]: 'admin' }

const ROLES: readonly string[] = ['read', 'write', 'admin'] satisfies Role[]

/** Who is at the other end, checked. */
export interface ProvenIdentity extends Identity {
  readonly spaces: SpaceRoles
  /** Milliseconds since the epoch; infinite: never. */
  readonly expiresAt: number
}

/**
 * What an `authenticate` function has answered, checked: it is code of somebody else, and what it means must not be guessed.
 *
 * @throws Refusal 4401 for nobody; Error for what is no answer
 */
export function provenBy(proof: Proof): ProvenIdentity {
  if (proof === undefined) {
    throw new Refusal(CLOSE_CODES.unauthorized, 'The token is not accepted; get a new one.')
  }
  const identity = typeof proof === 'string' ? { user: proof } : proof
  if (typeof identity !== 'object' || identity === null || !USER_ID.test(identity.user)) {
    throw new Refusal(CLOSE_CODES.unauthorized, 'The token names no user.')
  }
  const {
    expiresAt = Number.POSITIVE_INFINITY,
    issuedAt,
    recheckAfter,
    spaces = EVERYWHERE,
  } = identity
  assertNumber('expiresAt', expiresAt)
  assertNumber('issuedAt', issuedAt)
  assertNumber('recheckAfter', recheckAfter)
  if (typeof spaces !== 'function' && !areSpaceRoles(spaces))
    throw new Error('authenticate gave spaces that are no roles by the names of spaces.')
  return { ...identity, expiresAt, spaces }
}

function assertNumber(name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'number' && !Number.isNaN(value))) return
  throw new Error(`authenticate gave ${name} as ${String(value)}; it is a number.`)
}

/** Whether something from outside is roles by the names of spaces. */
export function areSpaceRoles(value: unknown): value is Readonly<Record<string, Role>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(
      ([space, role]) => (space === ANY_SPACE || SPACE_NAME.test(space)) && isRole(role),
    )
  )
}

function isRole(value: unknown): value is Role {
  return typeof value === 'string' && ROLES.includes(value)
}

/**
 * The role in a space; undefined: none. At once where the roles are known, later where they have to be asked for.
 *
 * @throws Error when what was asked gives something else
 */
export function roleIn(
  { spaces }: Pick<ProvenIdentity, 'spaces'>,
  space: string,
): Role | undefined | Promise<Role | undefined> {
  if (typeof spaces === 'function') {
    const role = spaces(space)
    return role instanceof Promise ? role.then(asRole) : asRole(role)
  }
  // Spaces may be called like what every object has.
  if (Object.hasOwn(spaces, space)) return spaces[space]
  return Object.hasOwn(spaces, ANY_SPACE) ? spaces[ANY_SPACE] : undefined
}

function asRole(role: unknown): Role | undefined {
  if (role === undefined || isRole(role)) return role
  throw new Error(`authenticate gave the role ${String(role)}; it is read, write or admin.`)
}

export function mayWrite(role: Role | undefined): boolean {
  return role === 'write' || role === 'admin'
}
