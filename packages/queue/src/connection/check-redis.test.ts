import { expect, test } from 'vitest'
import { parseInfo, redisFaults } from './check-redis.ts'

const fit = 'redis_version:7.0.15\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\n'

test.each([
  ['a Redis with an append-only file and no eviction is fit', fit, []],
  ['an old Redis is refused with its version', fit.replace('7.0.15', '6.0.16'), [/6\.0\.16 is too old/]],
  ['a Redis without an append-only file is refused with the cure', fit.replace('aof_enabled:1', 'aof_enabled:0'), [/appendonly yes/]],
  ['a Redis that evicts is refused with its policy', fit.replace('noeviction', 'allkeys-lru'), [/allkeys-lru.*noeviction/]],
])('%s', (_name, info, faults) => {
  const found = redisFaults(parseInfo(`# Server\r\n${info}`))
  expect(found).toHaveLength(faults.length)
  for (const [at, fault] of faults.entries()) expect(found[at]).toMatch(fault)
})
