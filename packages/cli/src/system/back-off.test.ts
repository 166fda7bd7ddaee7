import { expect, test } from 'vitest'
import { backOff } from './back-off.ts'

test('deaths in a row wait longer each time, up to ten seconds', () => {
  const { next } = backOff()
  expect([0, 0, 0, 0, 0, 0, 0].map(next)).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000])
})

test('a process that lived for half a minute starts from the shortest wait again', () => {
  const { next } = backOff()
  next(0)
  next(0)
  expect(next(30_000)).toBe(500)
  expect(next(29_999)).toBe(1000)
})
