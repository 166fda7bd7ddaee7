import { describe, expect, it } from 'vitest'
import type { WriteResult } from './bulk.ts'
import { circuitFault, showsLife } from './settle.ts'

const written: WriteResult = { state: 'written' }
const unavailable = (status: number, type = 'some_exception'): WriteResult => ({ state: 'unavailable', fault: { status, type } })

describe('a batch', () => {
  it('shows that the server works by any document that it dealt with, a refused one too', () => {
    expect(showsLife([written])).toBe(true)
    expect(showsLife([{ state: 'conflict' }])).toBe(true)
    expect(showsLife([{ state: 'rejected', fault: { status: 400, type: 'x' } }])).toBe(true)
    expect(showsLife([unavailable(503), { state: 'no-partition' }, { state: 'lost', fault: { status: 502, type: 'x' } }])).toBe(false)
  })

  it.each([
    ['all is written', [written, written], null],
    ['some are turned away', [written, unavailable(429), unavailable(503)], null],
    ['all are turned away', [unavailable(429), unavailable(503)], 429],
    ['some are blocked', [written, unavailable(403, 'cluster_block_exception')], 403],
    ['some are blocked with a status that else passes', [written, unavailable(429, 'cluster_block_exception')], 429],
    ['a partition is closed', [written, unavailable(400, 'index_closed_exception')], 400],
    ['the user lacks the right', [written, unavailable(401, 'security_exception')], 401],
    ['the server breaks at one', [written, unavailable(500)], null],
    ['the server breaks at all', [unavailable(500), unavailable(500)], 500],
    ['answers were lost', [{ state: 'lost', fault: { status: 502, type: 'x' } } as const], null],
  ] as const)('opens the circuit, or not: %s', (_, results, status) => {
    expect(circuitFault(results)?.status ?? null).toBe(status)
  })
})
