import { expect, test } from 'vitest'
import { isDeeperThan, parsePage } from './dom.ts'

test('a page of more elements than a call takes arguments is parsed', () => {
  expect([...parsePage(`<html>${'<b></b>'.repeat(150_000)}</html>`).body.children]).toHaveLength(150_000)
})

test('depth is told without walking into it', () => {
  const page = parsePage('<div>'.repeat(20_000))
  expect([isDeeperThan(19_000, page), isDeeperThan(21_000, page)]).toEqual([true, false])
})

test.each([
  ['<html><title>T</title><body><p>text</p></body></html>', ['TITLE'], ['P']],
  ['<html><head><title>T</title></head><body><p>text</p></body></html>', ['TITLE'], ['P']],
  ['<html><head><title>T</title></head><p>text</p></html>', ['TITLE'], ['P']],
  ['<html><p>text</p><p>more</p></html>', [], ['P', 'P']],
  ['<html><div><body><p>text</p></body></div></html>', [], ['DIV']],
])('a page has one head and one body, whatever it leaves out: %s', (html, head, body) => {
  const page = parsePage(html)
  expect([...page.documentElement.children].map(({ tagName }) => tagName)).toEqual(['HEAD', 'BODY'])
  expect([...page.head.children].map(({ tagName }) => tagName)).toEqual(head)
  expect([...page.body.children].map(({ tagName }) => tagName)).toEqual(body)
})
