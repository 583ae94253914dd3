const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]', '::1'])

/** Whether a host name or address can only be this machine. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.has(host.toLowerCase()) || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** Whether a `Host` header names this machine: a web site can point its own name at 127.0.0.1 (DNS rebinding). */
export function isLoopbackHost(host: string | undefined): boolean {
  const to = urlOf(`http://${host}`)
  return to !== undefined && isLoopback(to.hostname)
}

export interface UpgradeHeaders {
  readonly origin: string | undefined
  readonly host: string | undefined
}

export interface OriginRules {
  /**
   * Whether users prove who they are. Where they don't, the host must be this machine by name as well: a web site can point
   * its own name at 127.0.0.1, and its origin then equals its host (DNS rebinding).
   */
  readonly authenticated: boolean
  /** Origins that may, besides the relay's own; undefined: pages on this machine. */
  readonly origins?: readonly string[] | undefined
}

/**
 * Whether a page of that origin may open a websocket here. Browsers send the origin and don't ask; without this check
 * any web site could speak to a relay on its visitor's machine (cross-site websocket hijacking, reliability S13).
 * Programs that aren't browsers send none.
 */
export function isAllowedOrigin(
  { origin, host }: UpgradeHeaders,
  { authenticated, origins }: OriginRules,
): boolean {
  if (origin === undefined) return true
  const from = urlOf(origin)
  const to = urlOf(`http://${host}`)
  if (from === undefined || to === undefined) return false
  const isListed = origins?.includes(from.origin) ?? isLoopback(from.hostname)
  if (!authenticated) return isListed && isLoopback(to.hostname)
  return isListed || from.host === host?.toLowerCase()
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}
