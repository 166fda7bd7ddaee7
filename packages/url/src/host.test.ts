import { describe, expect, it, test } from 'vitest'
import { articleId } from './article-id.ts'
import { hostOf, registrableDomain, sameSite } from './host.ts'
import { isHomePage } from './is-home-page.ts'

describe('what an address says of its site', () => {
  it('names the host without port or final dot', () => {
    expect(hostOf('https://WWW.Example.org.:8443/a')).toBe('www.example.org')
    expect(() => hostOf('example.org')).toThrow(/https:\/\//)
  })

  test.each([
    ['https://news.example.co.uk/a', 'example.co.uk'],
    ['https://a.github.io/b', 'a.github.io'],
    ['https://example.org./a', 'example.org'],
    ['http://127.0.0.1/', null],
    ['http://[2001:db8::1]/', null],
    ['http://localhost/', null],
    ['nothing', null],
    ['urn:sha256:00', null],
  ])('names the registrable domain of %s', (url, domain) => {
    expect(registrableDomain(url)).toBe(domain)
  })

  it('never takes two owners for one because neither has a domain', () => {
    expect(sameSite('http://127.0.0.1:8080/a', 'http://127.0.0.2:8080/a')).toBe(false)
    expect(sameSite('http://127.0.0.1:8080/a', 'http://127.0.0.1:8081/a')).toBe(false)
    expect(sameSite('http://127.0.0.1:8080/a', 'http://127.0.0.1:8080/b')).toBe(true)
    expect(sameSite('https://a.github.io/', 'https://b.github.io/')).toBe(false)
    expect(sameSite('https://news.example.org/', 'https://www.example.org/')).toBe(true)
    expect(sameSite('urn:sha256:00', 'urn:sha256:00')).toBe(false)
    expect(sameSite('nothing', 'nothing')).toBe(false)
  })
})

describe('isHomePage', () => {
  test.each([
    '/',
    '',
    '//',
    '/?utm_source=x',
    '/#top',
    '/index.html',
    '/index.php',
    '/default.aspx',
    '/home',
    '/en',
    '/en/',
    '/pt-br/index.html',
    '?',
  ])('knows a front page at %j', (path) => {
    expect(isHomePage(`https://jo@www.example.org${path}`)).toBe(true)
  })

  test.each(['/?p=123', '/a', '/news', '/index.html?id=1', '/#!/story/1', '/2024/', '/homes', '/en/a'])('knows none at %j', (path) => {
    expect(isHomePage(`https://example.org${path}`)).toBe(false)
  })

  it('knows none where there is no address', () => {
    expect(isHomePage('nothing')).toBe(false)
    expect(isHomePage('urn:sha256:00')).toBe(false)
  })
})

it('makes an articleId of 16 bytes of the key’s SHA-256', () => {
  expect(articleId('')).toBe('47DEQpj8HBSa-_TImW-5JA')
  expect(articleId('https://example.org/a')).toMatch(/^[\w-]{22}$/)
})
