import { CaptureId, OUTCOMES } from '@copydesk/contracts'
import { v7 as uuidv7 } from 'uuid'
import { expect, test } from 'vitest'
import { createEndsTable } from './ends-table.ts'

const newId = () => CaptureId.parse(uuidv7())

test('of several ends the highest rev counts, then run, then time, in whatever order they come', () => {
  const ends = [
    { rev: 0, run: 5, at: 50, outcome: 'failed' as const },
    { rev: 0, run: 7, at: 40, outcome: null },
    { rev: 0, run: 7, at: 41, outcome: 'indexed' as const },
    { rev: 1, run: 1, at: 10, outcome: 'stale' as const },
  ]
  for (const [from, last] of ends.entries()) {
    for (const order of [ends.slice(0, from + 1), ends.slice(0, from + 1).toReversed()]) {
      const table = createEndsTable()
      const captureId = newId()
      for (const end of order) table.put(captureId, end)
      expect(table.take(captureId)).toMatchObject(last)
    }
  }
})

test('an end says whether it counts now', () => {
  const table = createEndsTable()
  const captureId = newId()
  expect(table.put(captureId, { rev: 0, run: 2, at: 0, outcome: 'indexed' })).toBe(true)
  expect(table.put(captureId, { rev: 0, run: 1, at: 0, outcome: 'failed' })).toBe(false)
})

test('many captures keep each their own, while the table grows, and each is asked for once', () => {
  const table = createEndsTable(4)
  const ids = Array.from({ length: 5000 }, newId)
  for (const [at, captureId] of ids.entries()) table.put(captureId, { rev: 0, run: at, at, outcome: OUTCOMES[at % 9] ?? null })
  expect(table.size()).toBe(5000)
  expect(table.unasked()).toBe(5000)
  for (const [at, captureId] of ids.entries())
    expect(table.take(captureId)).toEqual({ rev: 0, run: at, at, outcome: OUTCOMES[at % 9], again: false })
  expect(table.take(ids[7] as CaptureId)?.again).toBe(true)
  expect(table.take(newId())).toBeNull()
  expect(table.unasked()).toBe(0)
})
