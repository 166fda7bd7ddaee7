import { expect, test } from 'vitest'
import { parseInfo, redisFaults } from './check-redis.ts'

/** What servers answer to INFO, cut to the lines that tell them apart. Redis 7.0, 8.2 and Valkey 9.1 were asked; the others are as published. */
const PERSISTENT = 'aof_enabled:1\r\nmaxmemory_policy:noeviction\r\n'
const REDIS_7 = `# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nexecutable:/usr/bin/redis-server\r\n${PERSISTENT}`
const REDIS_6_0 = REDIS_7.replace('7.0.15', '6.0.16')
const REDIS_6_2 = REDIS_7.replace('7.0.15', '6.2.19')
const REDIS_8 = `# Server\r\nredis_version:8.2.3\r\nredis_mode:standalone\r\nexecutable:/usr/bin/redis-server\r\n${PERSISTENT}`
const VALKEY_8 = `# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.4\r\nvalkey_release_stage:ga\r\nserver_mode:standalone\r\n${PERSISTENT}`
const VALKEY_9 = VALKEY_8.replace('8.1.4', '9.1.2')
const DRAGONFLY =
  '# Server\r\nredis_version:7.4.0\r\ndragonfly_version:df-v1.40.1\r\nredis_mode:standalone\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n'
const KEYDB = `# Server\r\nredis_version:6.3.4\r\nredis_mode:standalone\r\nexecutable:/data/keydb-server\r\n${PERSISTENT}# KeyDB\r\nmvcc_depth:0\r\n`

test.each([
  ['Redis 7 is fit', REDIS_7, []],
  ['Redis 6.2 is fit', REDIS_6_2, []],
  ['Redis 8.2 is fit', REDIS_8, []],
  ['Valkey 8 is fit', VALKEY_8, []],
  ['Valkey 9 is fit', VALKEY_9, []],
  ['Redis 6.0 is refused with its version', REDIS_6_0, [/^Redis 6\.0\.16 is too old\. .*6\.2 or newer, or Valkey/]],
  ['Dragonfly is refused with the reason, in one sentence', DRAGONFLY, [/Dragonfly df-v1\.40\.1.*no append-only file.*Valkey/]],
  ['KeyDB is refused with the reason', KEYDB, [/KeyDB 6\.3\.4.*never proven/]],
  ['a server that does not say its version is refused', 'aof_enabled:1\r\n', [/unknown version/]],
  ['without an append-only file it is refused with the cure', REDIS_7.replace('aof_enabled:1', 'aof_enabled:0'), [/appendonly yes/]],
  [
    'one that evicts is refused with its policy',
    VALKEY_9.replace('noeviction', 'allkeys-lru'),
    [/^Valkey may evict.*allkeys-lru.*noeviction/],
  ],
  ['every fault is named', REDIS_6_0.replace('aof_enabled:1', 'aof_enabled:0'), [/too old/, /appendonly/]],
])('%s', (_name, info, faults) => {
  const found = redisFaults(parseInfo(info))
  expect(found).toHaveLength(faults.length)
  for (const [at, fault] of faults.entries()) expect(found[at]).toMatch(fault)
})
