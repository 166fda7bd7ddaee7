import { PermanentError } from '@copydesk/pipeline'
import { expect, test } from 'vitest'
import { buildDocument } from './document.ts'
import { judge } from './judge.ts'
import { incoming } from './test-data.ts'

const NOW = Date.parse('2026-11-21T00:00:00Z')
const at = (hour: number) => new Date(Date.UTC(2026, 10, 20, hour)).toISOString()
const first = incoming({ capture: 1, fetchedAt: at(1) })
const { articleId } = first.article

test('each record is judged as if the ones before it had been written', () => {
  const teaser = incoming({ capture: 2, fetchedAt: at(2), extent: 'teaser' })
  const corrected = incoming({ capture: 3, fetchedAt: at(3), content: 'b' })
  expect(judge([first, first, teaser, corrected], new Map(), NOW)).toEqual({
    missing: [articleId],
    old: [],
    rejected: [],
    kept: 2,
    due: [first, corrected],
  })
})

test('an article is missing or old by what is stored, and left alone where something foreign is', () => {
  const second = incoming({ capture: 2, fetchedAt: at(2), content: 'b' })
  const stored = buildDocument(first, null, NOW)
  expect(judge([first, second], new Map([[articleId, { version: 1, stored }]]), NOW)).toMatchObject({
    missing: [],
    old: [articleId],
    kept: 1,
  })
  const error = new PermanentError('search-rejected', 'foreign')
  const foreign = new Map([[articleId, { version: 1, stored: null, error }]])
  expect(judge([first, second], foreign, NOW)).toEqual({ missing: [], old: [], rejected: [articleId], kept: 0, due: [] })
})
