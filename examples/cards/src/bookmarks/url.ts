/** The schemes that a web page may open; everything else stays out of the list. */
const OPENABLE = /^https?:$/

/** The URL in `text`, with `https://` put in front where a person left it out; undefined if there is none. */
export function toUrl(text: string): string | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || /\s/.test(trimmed)) return undefined
  const complete = openable(trimmed)
  if (complete !== undefined) return complete.href
  const bare = /^(localhost|[^/?#:@]+\.[^/?#:@.]{2,})(:\d+)?([/?#]|$)/i.test(trimmed)
  return bare ? openable(`https://${trimmed}`)?.href : undefined
}

/** True if a link may point there. Guards against `javascript:` in what other devices wrote. */
export function isOpenable(url: string): boolean {
  return openable(url) !== undefined
}

/** `example.com` of `https://www.example.com/page`; empty if `url` is none. */
export function hostOf(url: string): string {
  return openable(url)?.host.replace(/^www\./, '') ?? ''
}

/** `https` of `https://…`, in lower case; empty if there is no scheme. */
export function schemeOf(url: string): string {
  return /^\s*([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? ''
}

/** Equal for URLs that lead to the same page, as far as one can tell without asking. */
export function urlKey(url: string): string {
  const parsed = openable(url)
  if (parsed === undefined) return url.trim()
  const path = parsed.pathname.replace(/\/+$/, '')
  return `${parsed.host.replace(/^www\./, '')}${path}${parsed.search}${parsed.hash}`
}

/** A first title for a page that nobody has read yet: its last path segment in words, or its host. */
export function titleFromUrl(url: string): string {
  const parsed = openable(url)
  if (parsed === undefined) return url
  const segment = parsed.pathname.split('/').findLast((part) => part !== '') ?? ''
  const words = decoded(segment)
    .replace(/\.[a-z0-9]{1,5}$/i, '')
    .replace(/[-_+]+/g, ' ')
    .trim()
  if (!/\p{L}{3}/u.test(words)) return hostOf(url)
  return words.charAt(0).toLocaleUpperCase() + words.slice(1)
}

function openable(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  return OPENABLE.test(url.protocol) && url.hostname !== '' ? url : undefined
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
