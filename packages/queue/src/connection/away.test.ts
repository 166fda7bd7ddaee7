import { expect, test } from 'vitest'
import { isRedisAway } from './away.ts'

test.each([
  "Stream isn't writeable and enableOfflineQueue options is false",
  'Connection is closed.',
  'Command timed out',
  "Socket timeout. Expecting data, but didn't receive any in 30000ms.",
  'Reached the max retries per request limit (which is 1). Refer to "maxRetriesPerRequest" option for details.',
  'LOADING Redis is loading the dataset in memory',
  'connect ECONNREFUSED 127.0.0.1:6379',
  'read ECONNRESET',
  'getaddrinfo ENOTFOUND redis',
])('%j means that Redis is away', (message) => {
  expect(isRedisAway(new Error(message))).toBe(true)
})

test('what Redis answers, and what is wrong with us, does not', () => {
  for (const message of ['WRONGTYPE Operation against a key', 'OOM command not allowed', 'x is not a function', 'ERR unknown command'])
    expect(isRedisAway(new Error(message))).toBe(false)
})
