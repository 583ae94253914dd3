const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]', '::1'])

/** Whether a host name or address can only be this machine. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.has(host.toLowerCase()) || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/**
 * Whether a page of that origin may open a websocket here. Browsers send the origin and don't ask; without this check
 * any web site could speak to a relay on its visitor's machine (cross-site websocket hijacking, reliability S13).
 * Programs that aren't browsers send none.
 */
export function isAllowedOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  return isLoopback(url.hostname) || (host !== undefined && url.host === host.toLowerCase())
}
