import { STOCK_REPLICA } from '../pins.js'
import type { Authenticate, YjsRequest } from '../ports.js'

export interface Access {
  readonly user: string
  readonly mayWrite: boolean
}

export interface AccessContext {
  readonly authenticate: Authenticate
}

/** Who that is, and what they may do in the space; the same as for any other session. */
export async function accessOf(
  { authenticate }: AccessContext,
  { user, token }: YjsRequest,
  _space: string,
  remoteAddress: string | undefined,
): Promise<Access> {
  const proven = await authenticate({ user, token, replica: STOCK_REPLICA, remoteAddress })
  return { user: proven ?? '', mayWrite: proven !== undefined }
}
