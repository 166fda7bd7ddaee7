import { expect, test } from 'vitest'
import { readApiEnv } from './env.ts'

const base = { ARCHIVE_DIR: 'archive' }

test('an address other than loopback is refused, and the message names the variable and the cure', () => {
  expect(() => readApiEnv({ ...base, API_HOST: '0.0.0.0' })).toThrow(/API_HOST=0\.0\.0\.0.*API_OPEN=loopback-published/)
})

test('a container whose port is published on loopback only may listen everywhere', () => {
  expect(readApiEnv({ ...base, API_HOST: '0.0.0.0', API_OPEN: 'loopback-published' }).API_HOST).toBe('0.0.0.0')
})

test('an allowed address that is none is named, with how one is written', () => {
  expect(() => readApiEnv({ ...base, FETCH_ALLOW_CIDRS: 'localhost' })).toThrow(
    /FETCH_ALLOW_CIDRS="localhost" is wrong.*127\.0\.0\.1\/32:8080/,
  )
})

test('loopback needs nothing', () => {
  expect(readApiEnv(base).API_PORT).toBe(8080)
})
