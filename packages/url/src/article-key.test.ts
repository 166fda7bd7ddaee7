import { array, assert, constantFrom, domain, oneof, property, string, tuple, webUrl } from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { articleKey } from './article-key.ts'
import { fetchUrl } from './fetch-url.ts'

const SAME: [why: string, a: string, b: string][] = [
  ['scheme', 'http://example.org/a', 'https://example.org/a'],
  ['case of the host', 'https://EXAMPLE.org/a', 'https://example.org/a'],
  ['case of the scheme', 'HTTPS://example.org/a', 'https://example.org/a'],
  ['www', 'https://www.example.org/a', 'https://example.org/a'],
  ['www in upper case', 'https://WWW.example.org/a', 'https://example.org/a'],
  ['www before a public suffix that is a site', 'https://www.gov.uk/a', 'https://gov.uk/a'],
  ['default port of http', 'http://example.org:80/a', 'http://example.org/a'],
  ['default port of https', 'https://example.org:443/a', 'http://example.org/a'],
  ['final dot of the host', 'https://example.org./a', 'https://example.org/a'],
  ['final dot and www', 'https://www.example.org./a', 'https://example.org/a'],
  ['internationalised host', 'https://bücher.example/a', 'https://xn--bcher-kva.example/a'],
  ['full-width host', 'https://ｅｘａｍｐｌｅ.org/a', 'https://example.org/a'],
  ['no path', 'https://example.org', 'https://example.org/'],
  ['no path but a query', 'https://example.org?p=1', 'https://example.org/?p=1'],
  ['trailing slash', 'https://example.org/a/', 'https://example.org/a'],
  ['trailing slashes', 'https://example.org/a//', 'https://example.org/a'],
  ['trailing slash before a query', 'https://example.org/a/?p=1', 'https://example.org/a?p=1'],
  ['doubled slashes', 'https://example.org//2024///a', 'https://example.org/2024/a'],
  ['dot segments', 'https://example.org/x/../2024/./a', 'https://example.org/2024/a'],
  ['escaped dot segments', 'https://example.org/x/%2e%2E/a', 'https://example.org/a'],
  ['backslashes', 'https://example.org\\2024\\a', 'https://example.org/2024/a'],
  ['unreserved escapes in the path', 'https://example.org/%7Ejo/%61', 'https://example.org/~jo/a'],
  ['unreserved escapes in the query', 'https://example.org/?%70=%31', 'https://example.org/?p=1'],
  ['case of escapes', 'https://example.org/a%2fb%c3%a9', 'https://example.org/a%2Fb%C3%A9'],
  ['plain and escaped non-ASCII', 'https://example.org/日本', 'https://example.org/%E6%97%A5%E6%9C%AC'],
  ['plain and escaped spaces', ' https://example.org/a b ', 'https://example.org/a%20b'],
  ['tabs and line ends inside', 'https://exam\nple.org/\ta', 'https://example.org/a'],
  ['plain and escaped brackets', 'https://example.org/?tx[id]=1', 'https://example.org/?tx%5Bid%5D=1'],
  ['plain and escaped bars', 'https://example.org/a|b', 'https://example.org/a%7Cb'],
  ['fragment', 'https://example.org/a#comments', 'https://example.org/a'],
  ['text fragment', 'https://example.org/a#:~:text=peace', 'https://example.org/a'],
  ['empty fragment', 'https://example.org/a#', 'https://example.org/a'],
  ['empty hash-bang', 'https://example.org/a#!', 'https://example.org/a'],
  ['empty query', 'https://example.org/a?', 'https://example.org/a'],
  ['empty parameters', 'https://example.org/a?&p=1&&q=2&', 'https://example.org/a?p=1&q=2'],
  ['order of parameters', 'https://example.org/a?b=2&a=1', 'https://example.org/a?a=1&b=2'],
  ['order around a repeated one', 'https://example.org/?t=2&b=1&t=1', 'https://example.org/?b=1&t=2&t=1'],
  ['a servlet session', 'https://example.org/a;jsessionid=0A1B?p=1', 'https://example.org/a?p=1'],
  ['a PHP session', 'https://example.org/a?PHPSESSID=0a1b&p=1', 'https://example.org/a?p=1'],
  ['only tracking', 'https://example.org/a?utm_source=x', 'https://example.org/a'],
  ['tracking copied from markup', 'https://example.org/a?p=1&amp;utm_source=x', 'https://example.org/a?p=1'],
  ['tracking with an escaped name', 'https://example.org/a?utm%5Fsource=x', 'https://example.org/a'],
  ['tracking in upper case', 'https://example.org/a?UTM_Source=x&CMP=y', 'https://example.org/a'],
  ['tracking without value', 'https://example.org/a?fbclid', 'https://example.org/a'],
]

const DIFFERENT: [why: string, a: string, b: string][] = [
  ['case of the path', 'https://example.org/A', 'https://example.org/a'],
  ['case of a value', 'https://example.org/?p=A', 'https://example.org/?p=a'],
  ['case of a parameter', 'https://example.org/?P=1', 'https://example.org/?p=1'],
  ['another subdomain', 'https://news.example.org/a', 'https://example.org/a'],
  ['a mobile subdomain', 'https://m.example.org/a', 'https://example.org/a'],
  ['a blog by number', 'https://blog1.example.org/a', 'https://blog2.example.org/a'],
  ['www2', 'https://www2.example.org/a', 'https://example.org/a'],
  ['a name that begins with www', 'https://wwwexample.org/a', 'https://example.org/a'],
  ['www twice', 'https://www.www.example.org/a', 'https://example.org/a'],
  ['www that is the name itself', 'https://www.com/a', 'https://com/a'],
  ['another suffix', 'https://example.co.uk/a', 'https://example.com/a'],
  ['another port', 'https://example.org:8443/a', 'https://example.org/a'],
  ['two other ports', 'https://example.org:8080/a', 'https://example.org:8081/a'],
  ['plain http on the port of https', 'http://example.org:443/a', 'https://example.org/a'],
  ['https on the port of http', 'https://example.org:80/a', 'https://example.org/a'],
  ['plain http and https on the same odd port 443', 'http://example.org:443/a', 'https://example.org:443/a'],
  ['an escaped slash', 'https://example.org/a%2Fb', 'https://example.org/a/b'],
  ['an escaped question mark', 'https://example.org/a%3Fp=1', 'https://example.org/a?p=1'],
  ['an escaped number sign', 'https://example.org/a%23b', 'https://example.org/a'],
  ['an escaped ampersand', 'https://example.org/?q=a%26b=1', 'https://example.org/?q=a&b=1'],
  ['an escaped equals sign', 'https://example.org/?a%3Db', 'https://example.org/?a=b'],
  ['an escaped percent sign', 'https://example.org/%2541', 'https://example.org/A'],
  ['a stray percent sign that decoding would complete', 'https://example.org/%%34%31', 'https://example.org/%41'],
  ['plus and escaped plus', 'https://example.org/?q=a+b', 'https://example.org/?q=a%2Bb'],
  ['plus in a path', 'https://example.org/a+b', 'https://example.org/a%20b'],
  ['an escaped semicolon', 'https://example.org/a%3Bb', 'https://example.org/a;b'],
  ['index file', 'https://example.org/news/index.html', 'https://example.org/news'],
  ['extension', 'https://example.org/a.html', 'https://example.org/a'],
  ['AMP', 'https://example.org/a/amp', 'https://example.org/a'],
  ['AMP by parameter', 'https://example.org/a?amp=1', 'https://example.org/a'],
  ['a page of it', 'https://example.org/a?page=2', 'https://example.org/a'],
  ['a path parameter', 'https://example.org/a;id=1', 'https://example.org/a;id=2'],
  ['order of a repeated parameter', 'https://example.org/?t=1&t=2', 'https://example.org/?t=2&t=1'],
  ['a repeated parameter', 'https://example.org/?t=1&t=1', 'https://example.org/?t=1'],
  ['empty value and none', 'https://example.org/?1412361=', 'https://example.org/?1412361'],
  ['an empty parameter and its absence', 'https://example.org/a?print=', 'https://example.org/a'],
  ['a slash in the query', 'https://example.org/?/2024//a', 'https://example.org/?/2024/a'],
  ['a trailing slash in the query', 'https://example.org/?p=/a/', 'https://example.org/?p=/a'],
  ['a hash-bang route', 'https://example.org/#!/story/1', 'https://example.org/#!/story/2'],
  ['an address within the path', 'https://example.org/web/http://a.example/1', 'https://example.org/web/https://a.example/1'],
  ['an address within the query', 'https://example.org/?u=http://a.example/1', 'https://example.org/?u=https://a.example/1'],
  ['a parameter joined to tracking by ?', 'https://example.org/?utm_source=rss?id=5', 'https://example.org/?utm_source=rss?id=6'],
  ['a parameter joined to tracking by ;', 'https://example.org/?utm_source=rss;id=5', 'https://example.org/?utm_source=rss;id=6'],
  ['a parameter joined to a tracking name', 'https://example.org/?utm_source?id=5', 'https://example.org/?utm_source?id=6'],
  ['an article number that looks like Matomo', 'https://example.org/n.asp?pk_no=1', 'https://example.org/n.asp?pk_no=2'],
  ['a name that only ends like a click id', 'https://example.org/?articleclid=1', 'https://example.org/?articleclid=2'],
  ['a bare clid', 'https://example.org/?clid=1', 'https://example.org/?clid=2'],
  ['a reference', 'https://example.org/?ref=1', 'https://example.org/?ref=2'],
  ['IP addresses', 'http://192.0.2.1/a', 'http://192.0.2.2/a'],
  ['composed and decomposed letters', 'https://example.org/%C3%A9', 'https://example.org/e%CC%81'],
]

describe('articleKey', () => {
  test.each(SAME)('is one for one article: %s', (_, a, b) => {
    expect(articleKey(a)).toBe(articleKey(b))
  })

  test.each(DIFFERENT)('is two for what may be two articles: %s', (_, a, b) => {
    expect(articleKey(a)).not.toBe(articleKey(b))
  })

  it('is an https URL with everything that identifies and nothing else', () => {
    expect(articleKey('http://WWW.Example.org:80//News/%7ejo/a%2fb/?v=2&utm_medium=x&id=1#top')).toBe(
      'https://example.org/News/~jo/a%2Fb?id=1&v=2',
    )
  })

  test.each(['id', 'p', 'article', 'story', 'page', 'sid', 'lang', 'v', 'q', 'ID', 'cid', 'source', 'from', 'mod'])(
    'never drops the parameter %s',
    (name) => {
      expect(articleKey(`https://example.org/?${name}=1`)).not.toBe(articleKey(`https://example.org/?${name}=2`))
    },
  )

  test.each(['/%%34%31', '/%/%2e;jsessionid=', '/..;jsessionid=1/b', '/\0;jsessionid=%//%7e', '/a;jsessionid=..;jsessionid=2/'])(
    'is its own key where the property test once found that it was not, or might not be: %j',
    (path) => {
      const key = articleKey(`https://example.org${path}`)
      expect(articleKey(key)).toBe(key)
    },
  )

  it('is the key of the longest address that may be fetched, even where it grows', () => {
    const url = fetchUrl(`https://example.org/?${'['.repeat(4075)}`)
    expect(articleKey(articleKey(url))).toBe(articleKey(url))
  })

  it('is its own key and has a key wherever there is an address to fetch', () => {
    const piece = oneof(
      constantFrom(
        '%',
        '%%34%31',
        '%2e',
        '%2E%2e',
        '%41',
        '%7e',
        '%2f',
        '..',
        '.',
        '/',
        '//',
        ';jsessionid=',
        ';',
        '&',
        '=',
        '?',
        '#',
        '#!',
      ),
      constantFrom('utm_source', 'amp;', 'id', 'www.', '+', ' ', '[', '|', '\\', "'", '^', '"', 'é', '\u0301', ':', '@', 'A', '4', '1'),
      string({ maxLength: 4, unit: 'binary' }),
    )
    const host = oneof(
      constantFrom(
        'example.org',
        'www.example.org.',
        'www.www.org',
        'www.com',
        'www.com.',
        '[2001:DB8::1]',
        '0x7f.1',
        'www.a..',
        '.',
        'www..a',
      ),
      domain(),
      array(constantFrom('www', '.', 'a', 'é', '1'), { maxLength: 6 }).map((parts) => parts.join('')),
    )
    const port = constantFrom('', ':80', ':443', ':8080', ':')
    const url = tuple(constantFrom('http://', 'https://', 'HTTP:\\\\', 'https:/'), host, port, array(piece, { maxLength: 12 }))
      .map(([scheme, name, at, rest]) => `${scheme}${name}${at}/${rest.join('')}`)
      .filter((text) => URL.canParse(text) && !new URL(text).username && !new URL(text).password)
      .filter((text) => !/^[a-z]+:[\\/]{3}/i.test(text))
    assert(
      property(oneof(url, webUrl({ withFragments: true, withQueryParameters: true })), (text) => {
        const key = articleKey(text)
        expect(articleKey(key)).toBe(key)
        expect(articleKey(fetchUrl(key))).toBe(key.replace(/#.*/, ''))
        expect(new URL(key).href).toBe(key)
      }),
      { numRuns: 5000 },
    )
  })
})
