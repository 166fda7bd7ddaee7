import { errors } from '@elastic/elasticsearch'
import { describe, expect, it } from 'vitest'
import { queryFailed, requestFault, searchUnavailable } from './faults.ts'

describe('a fault', () => {
  it('says what happened on the way', () => {
    expect(requestFault(new errors.TimeoutError('Request timed out'))).toEqual({ status: 0, type: 'no answer in time' })
    expect(requestFault(new errors.ConnectionError('connect ECONNREFUSED 127.0.0.1:9'))).toEqual({
      status: 0,
      type: 'no connection: connect ECONNREFUSED 127.0.0.1:9',
    })
  })

  it('puts the job back for 2 to 10 seconds, not all at once, with what is wrong and what helps', () => {
    const waits = Array.from({ length: 200 }, () => searchUnavailable({ status: 403, type: 'cluster_block_exception' }).ms)
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(2_000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(10_000)
    expect(new Set(waits).size).toBeGreaterThan(100)
    expect(searchUnavailable({ status: 403, type: 'cluster_block_exception' })).toMatchObject({
      name: 'RateLimitedError',
      code: 'search-unavailable',
      message: expect.stringMatching(/403 cluster_block_exception.*free space/),
    })
  })

  it('carries nothing of the error that it comes from', () => {
    expect(queryFailed(new Error('x')).cause).toBeUndefined()
  })
})
