import { PermanentError, RetryableError } from '@copydesk/pipeline'
import { expect, it, test } from 'vitest'
import { fault } from './fault.ts'

const failing = (code: string): Error => Object.assign(new Error('as it came'), { code })

test.each([
  ['ENOTFOUND', 'dns'],
  ['EAI_AGAIN', 'dns'],
  ['ECONNREFUSED', 'connect'],
  ['UND_ERR_CONNECT_TIMEOUT', 'connect'],
  ['ECONNRESET', 'reset'],
  ['UND_ERR_SOCKET', 'reset'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['HPE_INVALID_CONSTANT', 'bad-response'],
])('%s is worth another try, as %s', (code, meaning) => {
  expect(fault(failing(code), 'example.org')).toBeInstanceOf(RetryableError)
  expect(fault(failing(code), 'example.org')).toMatchObject({ code: meaning, message: expect.stringMatching(/^example\.org /) })
})

test.each([
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'EPROTO',
])('%s stays as it is however often it is tried', (code) => {
  expect(fault(failing(code), 'example.org')).toBeInstanceOf(PermanentError)
  expect(fault(failing(code), 'example.org')).toMatchObject({ code: 'tls' })
})

it('leaves an error of our own as it is', () => {
  const error = new TypeError('undefined is not a function')
  expect(fault(error, 'example.org')).toBe(error)
  expect(fault('text', 'example.org')).toBe('text')
})

it('keeps what the other side sent out of the cause', () => {
  const error = Object.assign(failing('HPE_INVALID_CONSTANT'), { data: 'Set-Cookie: secret' })
  expect(fault(error, 'example.org')).toMatchObject({ cause: { message: 'as it came' } })
  expect((fault(error, 'example.org') as Error).cause).not.toHaveProperty('data')
})
