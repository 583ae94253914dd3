import type { Relay, Visitor } from '../relay/index.js'

export interface GateRequest {
  /** The header `Authorization`. */
  readonly authorization: string | undefined
  readonly remoteAddress: string | undefined
}

/** What somebody may look at. */
export interface Visit {
  readonly user: string
  /** Everything about the relay, not only some of its spaces. */
  readonly isOperator: boolean
  mayInspect(space: string): Promise<boolean>
}

/** Every space, as `authenticate` is asked about it. */
const ANY_SPACE = '*'

/**
 * Lets administrators in: of every space (role `admin` for `*`), or of some. The user's id and a token come as name and
 * password of HTTP's own authentication (RFC 7617), which every browser asks for.
 *
 * @returns undefined for whoever has to show who they are
 */
export async function visitBy(
  relay: Pick<Relay, 'identify'>,
  { authorization, remoteAddress }: GateRequest,
): Promise<Visit | undefined> {
  const credentials = basicCredentials(authorization)
  if (credentials === undefined) return undefined
  const visitor = await relay.identify({ ...credentials, replica: 'inspector', remoteAddress })
  return visitor && visitOf(visitor)
}

async function visitOf(visitor: Visitor): Promise<Visit> {
  const isOperator = (await visitor.roleIn(ANY_SPACE)) === 'admin'
  return {
    user: visitor.user,
    isOperator,
    mayInspect: async (space) => (await visitor.roleIn(space)) === 'admin',
  }
}

function basicCredentials(
  header: string | undefined,
): { readonly user: string; readonly token: string } | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return undefined
  const decoded = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  if (colon < 1) return undefined
  return { user: decoded.slice(0, colon), token: decoded.slice(colon + 1) }
}

/** Where nobody has to prove anything: on this machine. */
export const TRUSTED_VISIT: Visit = {
  user: '',
  isOperator: true,
  mayInspect: async () => true,
}
