import { describe, expect, it } from 'vitest'
import { hostOf, isOpenable, titleFromUrl, toUrl, urlKey } from './url.js'

describe('toUrl', () => {
  it('keeps a complete address', () => {
    expect(toUrl(' https://example.com/a?b=1#c ')).toBe('https://example.com/a?b=1#c')
  })

  it('puts https:// in front of an address that a person typed', () => {
    expect(toUrl('example.com/read')).toBe('https://example.com/read')
    expect(toUrl('localhost:8787')).toBe('https://localhost:8787/')
  })

  it.each([
    '',
    'two words',
    'word',
    'javascript:alert(1)',
    'place:sort=8',
    'a@b.example',
    '1.5',
    'https://',
  ])('finds no address in %j', (text) => expect(toUrl(text)).toBeUndefined())
})

describe('isOpenable', () => {
  it.each([
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/hosts',
    'nonsense',
  ])('refuses to link to %j', (url) => expect(isOpenable(url)).toBe(false))
})

describe('urlKey', () => {
  it('is the same with and without www, a slash at the end, or encryption', () => {
    expect(urlKey('http://www.Example.com/a/')).toBe(urlKey('https://example.com/a'))
  })

  it('tells pages apart by path, query and fragment', () => {
    const keys = ['/a', '/A', '/a?x=1', '/a#x'].map((path) => urlKey(`https://example.com${path}`))
    expect(new Set(keys).size).toBe(4)
  })
})

describe('titleFromUrl', () => {
  it.each([
    ['https://www.inkandswitch.com/local-first/', 'Local first'],
    ['https://example.com/2024/03/on_reading.html', 'On reading'],
    ['https://example.com/%C3%BCber-uns', 'Über uns'],
    ['https://news.example.com/item?id=42', 'Item'],
    ['https://www.example.com/p/8f', 'example.com'],
    ['https://example.com/%E0%A4%A', 'example.com'],
  ])('calls %s %j', (url, title) => expect(titleFromUrl(url)).toBe(title))
})

describe('hostOf', () => {
  it('leaves www. out and keeps a port', () => {
    expect(hostOf('https://www.example.com:8080/x')).toBe('example.com:8080')
  })
})
