import { PermanentError, RateLimitedError, RetryableError } from '@copydesk/pipeline'
import { expect, test } from 'vitest'
import { faultOf } from './fault.ts'

test.each([
  ['a retryable error is tried again', new RetryableError('timeout', 'no answer'), 'retry'],
  ['an unknown error is tried again as internal', new Error('oh'), 'retry'],
  ['a permanent error fails', new PermanentError('tls', 'expired'), 'fail'],
  ['a rate limit waits', new RateLimitedError('rate-limited', 1000, 'slow down'), 'wait'],
  [
    'an archive that cannot be written makes the job wait, at no cost to the page',
    new RetryableError('archive-unavailable', 'full'),
    'wait',
  ],
  ["a parser's death counts against the page", new RetryableError('parser-died', 'gone'), 'death'],
  ["a parser's overrun counts against the page", new RetryableError('parser-timeout', 'slow'), 'death'],
])('%s', (_name, error, kind) => {
  expect(faultOf(error).kind).toBe(kind)
})

test('the reason names the causes, outermost first', () => {
  const error = new RetryableError('connect', 'no connection', { cause: new Error('ECONNREFUSED') })
  expect(faultOf(error)).toMatchObject({ code: 'connect', reason: 'no connection: ECONNREFUSED' })
})
