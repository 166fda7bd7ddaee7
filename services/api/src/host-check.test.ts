import { expect, test } from 'vitest'
import { isLoopbackHost } from './host-check.ts'

test.each(['localhost', 'localhost:8080', '127.0.0.1:1', '[::1]:8080', 'LOCALHOST:80'])('%s is this machine', (host) => {
  expect(isLoopbackHost(host)).toBe(true)
})

test.each([undefined, '', 'evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:8080', 'evil.example:127'])(
  '%s is not',
  (host) => {
    expect(isLoopbackHost(host)).toBe(false)
  },
)
