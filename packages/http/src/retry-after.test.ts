import { expect, test } from 'vitest'
import { retryAfter } from './retry-after.ts'

const NOW = Date.UTC(2026, 10, 23)

test.each([
  ['5', 5000],
  [' 5 ', 5000],
  ['0', 1000],
  ['86400', 3_600_000],
  ['99999999999999999999', 3_600_000],
  ['Mon, 23 Nov 2026 00:00:10 GMT', 10_000],
  ['Mon, 23 Nov 2020 00:00:00 GMT', 1000],
  ['Wed, 23 Nov 2033 00:00:00 GMT', 3_600_000],
  ['', null],
  [null, null],
  ['-5', null],
  ['1.5', null],
  ['soon', null],
])('a Retry-After of %j is a wait of %j milliseconds', (header, ms) => {
  expect(retryAfter(header, NOW)).toBe(ms)
})
