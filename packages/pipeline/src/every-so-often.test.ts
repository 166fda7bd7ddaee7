import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { everySoOften } from './every-so-often.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('the first call goes through at once, those within the time are dropped, the next one goes through', () => {
  const said: number[] = []
  const say = everySoOften(1000, (value: number) => void said.push(value))
  say(1)
  say(2)
  vi.advanceTimersByTime(999)
  say(3)
  vi.advanceTimersByTime(1)
  say(4)
  expect(said).toEqual([1, 4])
})
