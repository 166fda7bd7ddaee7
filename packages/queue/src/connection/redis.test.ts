import { expect, test } from 'vitest'
import { redisOptions } from './redis.ts'

test('reconnects wait two seconds at most, however long Redis is away', () => {
  const { retryStrategy } = redisOptions('redis://127.0.0.1:6379', 'worker')
  expect(retryStrategy(1)).toBe(100)
  expect(retryStrategy(10_000)).toBe(2000)
})

test('a socket that falls silent is dropped, later than the longest blocking read takes', () => {
  expect(redisOptions('redis://127.0.0.1:6379', 'worker').socketTimeout).toBe(30_000)
})

test('a worker waits for Redis as long as it takes; a producer is told at once that it is away', () => {
  expect(redisOptions('redis://h', 'worker')).toMatchObject({ maxRetriesPerRequest: null, enableOfflineQueue: true })
  expect(redisOptions('redis://h', 'producer')).toMatchObject({ maxRetriesPerRequest: 1, enableOfflineQueue: false })
})

test("an address's parts are read, and its secrets decoded", () => {
  expect(redisOptions('rediss://me:p%40ss@[::1]:7000/3', 'worker')).toMatchObject({
    host: '::1',
    port: 7000,
    username: 'me',
    password: 'p@ss',
    db: 3,
    tls: {},
  })
})
