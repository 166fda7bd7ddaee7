import { expect, test } from 'vitest'
import { isDeeperThan, parsePage } from './dom.ts'

test('a page of more elements than a call takes arguments is parsed', () => {
  expect([...parsePage(`<html>${'<b></b>'.repeat(150_000)}</html>`).body.children]).toHaveLength(150_000)
})

test('depth is told without walking into it', () => {
  const page = parsePage('<div>'.repeat(20_000))
  expect([isDeeperThan(19_000, page), isDeeperThan(21_000, page)]).toEqual([true, false])
})
