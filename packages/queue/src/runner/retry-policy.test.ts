import { expect, test } from 'vitest'
import { DEFAULT_RETRY, retryDelay } from './retry-policy.ts'

test('the back-off doubles with each attempt, varies by chance, and has a ceiling', () => {
  expect(retryDelay(DEFAULT_RETRY, 'timeout', 1, () => 0)).toBe(2500)
  expect(retryDelay(DEFAULT_RETRY, 'timeout', 1, () => 1)).toBe(7500)
  expect(retryDelay(DEFAULT_RETRY, 'timeout', 3, () => 0.5)).toBe(20_000)
  expect(retryDelay(DEFAULT_RETRY, 'timeout', 30, () => 1)).toBe(DEFAULT_RETRY.maxMs)
})

test('our own faults are tried again sooner than those of the outside web', () => {
  expect(retryDelay(DEFAULT_RETRY, 'internal', 1, () => 0.5)).toBeLessThan(retryDelay(DEFAULT_RETRY, 'dns', 1, () => 0.5))
})
