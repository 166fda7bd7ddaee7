import { expect, test } from 'vitest'
import { z } from 'zod'
import { CommonEnv, ConfigError, envTypes, loadEnv } from './load-env.ts'

test('a wrong variable is named, with its value and what it should be', () => {
  expect(() => loadEnv(CommonEnv, { ARCHIVE_DIR: 'a', REDIS_URL: 'localhost' })).toThrow(
    new ConfigError('REDIS_URL="localhost" is wrong: an address such as redis://127.0.0.1:6379'),
  )
})

test('a missing variable is named, and an empty one counts as missing', () => {
  expect(() => loadEnv(CommonEnv, { ARCHIVE_DIR: '' })).toThrow(/^ARCHIVE_DIR is not set: the folder where the archive lies$/)
})

test('every fault is named at once', () => {
  expect(() => loadEnv(CommonEnv, { ARCHIVE_DIR: 'a', HEALTH_PORT: 'x', LOG_LEVEL: 'loud' })).toThrow(
    /HEALTH_PORT.*LOG_LEVEL|LOG_LEVEL.*HEALTH_PORT/,
  )
})

test('a secret is never shown', () => {
  const schema = z.object({ API_TOKEN: z.string().min(32), REDIS_URL: envTypes.httpUrl })
  expect(() => loadEnv(schema, { API_TOKEN: 'canary', REDIS_URL: 'redis://me:canary@host' })).toThrow(/^(?!.*canary)/)
})
