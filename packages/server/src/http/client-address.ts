import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { RelayStartError } from '../errors.js'

export interface AddressedRequest {
  readonly headers: IncomingHttpHeaders
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** Who is at the other end: limits by address count by it. */
export interface ClientAddresses {
  of(request: AddressedRequest): string | undefined
  isProxy(address: string | undefined): boolean
}

/**
 * Behind a reverse proxy all connections come from the proxy, and the client's address is in `X-Forwarded-For`. Anybody can
 * send that header, so it is read from right to left: what a trusted proxy has appended is true, and the first address that
 * isn't a trusted proxy's is the client's.
 *
 * @param trusted addresses of proxies, or networks of them (`10.0.0.0/8`)
 * @throws RelayStartError `proxy-invalid`
 */
export function createClientAddresses(trusted: readonly string[]): ClientAddresses {
  const proxies = new BlockList()
  for (const entry of trusted) trust(proxies, entry)

  function isProxy(address: string | undefined): boolean {
    const family = isIP(address ?? '')
    return family !== 0 && proxies.check(address ?? '', family === 4 ? 'ipv4' : 'ipv6')
  }

  return {
    isProxy: (address) => isProxy(plain(address)),
    of({ headers, socket }) {
      let client = plain(socket.remoteAddress)
      const forwarded = String(headers['x-forwarded-for'] ?? '').split(',')
      while (isProxy(client)) {
        const next = plain(forwarded.pop()?.trim())
        // The proxy itself, or one that writes something else than addresses.
        if (next === undefined || isIP(next) === 0) break
        client = next
      }
      return client
    },
  }
}

function trust(proxies: BlockList, entry: string): void {
  const [address = '', prefix] = entry.split('/')
  const family = isIP(address)
  const bits = Number(prefix)
  const most = family === 4 ? 32 : 128
  const isNetwork = prefix !== undefined
  if (family === 0 || (isNetwork && !(/^\d+$/.test(prefix) && bits <= most))) {
    throw new RelayStartError(
      'proxy-invalid',
      `"${entry}" is no address of a proxy. Name an IP address or a network such as 10.0.0.0/8.`,
    )
  }
  if (isNetwork) proxies.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6')
  else proxies.addAddress(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** Sockets that take both versions show addresses of version 4 as those of version 6. */
function plain(address: string | undefined): string | undefined {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address ?? '') ?? []
  return mapped ?? address
}

/**
 * What counts as one address: of version 6 the first 64 bits, since a single machine usually has that many to choose from
 * (RFC 4291, 2.5.4).
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined) return ''
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  if (tail !== undefined) while (groups.length + rest.length < 8) groups.push('0')
  return `${[...groups, ...rest]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
