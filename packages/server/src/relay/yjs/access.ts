import type { Role } from '@tidemark/core/protocol'
import { type AccessContext, grantAccess } from '../access.js'
import { mayWrite, provenBy } from '../identity.js'
import { STOCK_REPLICA } from '../pins.js'
import type { Credentials, YjsRequest } from '../ports.js'

/** What a stock client may do in the space of its entity, for as long as its connection lasts. */
export interface StockAccess {
  readonly user: string
  mayRead(): boolean
  mayWrite(): boolean
  /** As an operation is judged: what was allowed when it came may be over by then. */
  role(): Role | undefined
  end(code: number, reason: string): void
  stop(): void
}

export interface StockAccessEvents {
  /** The right to be here is over. */
  ended(code: number, reason: string): void
  /** Roles were asked for again; `fails` when they couldn't be told. */
  roleChanged(): void
  fails(error: unknown): void
}

/**
 * The same as for any other session. A stock client need not say who it is: where it doesn't, the token says it.
 *
 * @throws Refusal 4401 for nobody; Error when nobody can tell
 */
export async function grantStockAccess(
  context: AccessContext,
  request: YjsRequest,
  space: string,
  remoteAddress: string | undefined,
  events: StockAccessEvents,
): Promise<StockAccess> {
  const credentials = { ...request, replica: STOCK_REPLICA, remoteAddress }
  const user = request.user ?? (await userOf(context, { ...credentials, user: ANONYMOUS }))
  const access = await grantAccess(
    context,
    { user, token: request.token, replica: STOCK_REPLICA, remoteAddress },
    { authenticated: () => {}, rolesChanged: () => void ask(), ended: events.ended },
  )
  let role = await access.roleIn(space)

  async function ask(): Promise<void> {
    try {
      role = await access.roleIn(space)
      events.roleChanged()
    } catch (error) {
      events.fails(error)
    }
  }

  const current = (): typeof role => (access.isOver() ? undefined : role)
  return {
    user: access.user,
    mayRead: () => current() !== undefined,
    mayWrite: () => mayWrite(current()),
    role: current,
    end: access.end,
    stop: access.stop,
  }
}

/** Who stock clients are where nobody has to say who they are. */
const ANONYMOUS = 'anonymous'

async function userOf({ authenticate }: AccessContext, credentials: Credentials): Promise<string> {
  return provenBy(await authenticate(credentials)).user
}
