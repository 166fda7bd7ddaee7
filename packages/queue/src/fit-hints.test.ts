import { Hints } from '@copydesk/contracts'
import { expect, test } from 'vitest'
import { fitHints } from './fit-hints.ts'

test('hints of usual length stay as they are', () => {
  const hints = { title: 'A title', author: 'Ann', tags: ['a', 'b'], language: 'en', published: '2026-01-01' }
  expect(fitHints(hints)).toEqual(hints)
})

test('hints that are too long together lose tags from the last, and nothing else while that suffices', () => {
  const tags = Array.from({ length: 20 }, (_, at) => String.fromCodePoint(0x4e00 + at).repeat(100))
  const fitted = fitHints({ title: '漢'.repeat(300), author: '字'.repeat(200), tags })
  expect(Buffer.byteLength(JSON.stringify(fitted))).toBeLessThanOrEqual(4096)
  expect(fitted).toMatchObject({ title: '漢'.repeat(300), author: '字'.repeat(200) })
  expect(fitted.tags).toEqual(tags.slice(0, fitted.tags?.length))
})

test('the worst hints that are taken in can be made to fit', () => {
  const worst = Hints.parse({
    title: '\u0001x'.repeat(400),
    author: '\u0001x'.repeat(400),
    published: '\u0001'.repeat(40) + 'x'.repeat(60),
    language: 'x'.repeat(35),
    tags: Array.from({ length: 20 }, () => '\u0001x'.repeat(50)),
  })
  expect(Buffer.byteLength(JSON.stringify(fitHints(worst)))).toBeLessThanOrEqual(4096)
})
