import { describe, expect, it, test } from 'vitest'
import { articleKey } from './article-key.ts'
import { fetchUrl } from './fetch-url.ts'

describe('fetchUrl', () => {
  test.each([
    ['HTTPS://WWW.Example.org/A/?utm_source=x&b=2&a=1#top', 'https://www.example.org/A/?utm_source=x&b=2&a=1'],
    ['http://example.org', 'http://example.org/'],
    ['http://example.org:80//a//', 'http://example.org//a//'],
    ['https://example.org/%7ejo?', 'https://example.org/%7ejo?'],
    ['https://bücher.example/é', 'https://xn--bcher-kva.example/%C3%A9'],
    ['http://0x7f.1/', 'http://127.0.0.1/'],
    ['  https://example.org/a\n', 'https://example.org/a'],
    ['https://@example.org/a', 'https://example.org/a'],
  ])('gives %s as it will be asked for', (given, expected) => {
    expect(fetchUrl(given)).toBe(expected)
  })

  test.each([
    ['', 'not-a-url'],
    ['peace treaty', 'not-a-url'],
    ['example.org/a', 'not-a-url'],
    ['example.org:8080/a', 'not-a-url'],
    ['localhost:8080/a', 'not-a-url'],
    ['//example.org/a', 'not-a-url'],
    ['/a', 'not-a-url'],
    ['https://exa mple.org/', 'not-a-url'],
    ['https://example.org:99999/', 'not-a-url'],
    ['https://1.2.3.4.5/', 'not-a-url'],
    ['https://[fe80::1%25eth0]/', 'not-a-url'],
    ['https://%2f/', 'not-a-url'],
    ['ftp://example.org/a', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['javascript:alert(1)', 'scheme'],
    ['data:text/html,a', 'scheme'],
    ['mailto:jo@example.org', 'scheme'],
    ['urn:isbn:1', 'scheme'],
    ['https://jo@example.org/', 'userinfo'],
    ['https://jo:secret@example.org/', 'userinfo'],
    ['https://:secret@example.org/', 'userinfo'],
    ['https://', 'no-host'],
    ['https:', 'no-host'],
    ['http://?p=1', 'no-host'],
    ['http:///a/b', 'no-host'],
    ['http:\\\\\\a', 'no-host'],
  ])('refuses %j as %s, and so does articleKey', (given, code) => {
    expect(() => fetchUrl(given)).toThrow(expect.objectContaining({ name: 'UrlError', code }))
    expect(() => articleKey(given)).toThrow(expect.objectContaining({ name: 'UrlError', code }))
  })

  it('refuses what is too long with the length and the limit', () => {
    const longest = `https://example.org/${'a'.repeat(4096 - 20)}`
    expect(fetchUrl(longest)).toBe(longest)
    expect(() => fetchUrl(`${longest}a`)).toThrow(/4097 characters.*at most 4096/)
    expect(() => fetchUrl(`https://example.org/${'é'.repeat(700)}`)).toThrow(expect.objectContaining({ code: 'too-long' }))
    expect(() => articleKey(`https://example.org/${'a'.repeat(12_300)}`)).toThrow(expect.objectContaining({ code: 'too-long' }))
  })

  test.each(['https://jo:secret@example.org/', 'https://jo:secret@exa mple.org/', 'ftp://jo:secret@example.org/', 'jo:secret@x'])(
    'never repeats a name or password in its message: %s',
    (url) => {
      const message = (): string => {
        try {
          return fetchUrl(url)
        } catch (error) {
          return String(error)
        }
      }
      expect(message()).toMatch(/^UrlError: (?!.*(?:secret|jo))/)
    },
  )
})
