import { expect, test } from 'vitest'
import { refusalOf } from './explain.ts'

test.each([
  ['memory', "OOM command not allowed when used memory > 'maxmemory'.", /full.*maxmemory/],
  ['memory', "OOM command not allowed when used memory > 'maxmemory'. script: f1c2, on @user_script:7.", /full/],
  ['disk', 'MISCONF Errors writing to the AOF file: No space left on device', /make room.*No space left/],
  ['disk', 'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.', /make room/],
  ['other', "READONLY You can't write against a read only replica.", /REDIS_URL/],
  ['other', 'NOREPLICAS Not enough good replicas to write.', /min-replicas-to-write/],
])('a refusal for %s is said with its cure: %s', (limit, message, sentence) => {
  expect(refusalOf(new Error(message))).toMatchObject({ limit, sentence: expect.stringMatching(sentence) as string })
})

test('anything else is no refusal', () => {
  expect(refusalOf(new Error('Connection is closed.'))).toBeNull()
  expect(refusalOf(undefined)).toBeNull()
})
