import { type Log, PermanentError, RetryableError } from '@copydesk/pipeline'
import type { RecordStore } from '@copydesk/queue'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createArchiveValve, watchRecords } from './archive-valve.ts'

const log: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A valve before an archive of which `full` says how often a trial still fails. */
function valveOver(full: { trials: number }) {
  let trials = 0
  const check = async () => {
    trials += 1
    if (trials <= full.trials) throw new Error('the disk is full')
  }
  const valve = createArchiveValve({ check, log })
  const said: (string | null)[] = []
  const flows: boolean[] = []
  valve.onReason((reason) => said.push(reason))
  valve.onChange((open) => flows.push(open))
  return { valve, said, flows, trials: () => trials }
}

test('it shuts at the first failure, tries less and less often, and flows again when a trial can be written', async () => {
  const { valve, said, flows, trials } = valveOver({ trials: 3 })
  expect(valve.flows()).toBe(true)
  valve.failed('no space')
  valve.failed('no space, says another')
  expect([valve.flows(), valve.reason()]).toEqual([false, 'no space'])
  await vi.advanceTimersByTimeAsync(1000)
  expect([trials(), valve.reason()]).toEqual([1, 'the disk is full'])
  await vi.advanceTimersByTimeAsync(2000 + 4000)
  expect([trials(), valve.flows()]).toEqual([3, false])
  await vi.advanceTimersByTimeAsync(8000)
  expect([valve.flows(), valve.reason()]).toEqual([true, null])
  expect(flows).toEqual([false, true])
  expect(said[0]).toBe('no space')
  expect(said.at(-1)).toBeNull()
})

test('a disk that is full again at once is tried as seldom as before, one that was well for long at once', async () => {
  const { valve, trials } = valveOver({ trials: 0 })
  valve.failed('no space')
  await vi.advanceTimersByTimeAsync(1000)
  valve.failed('no space')
  await vi.advanceTimersByTimeAsync(1000)
  expect(trials()).toBe(1)
  await vi.advanceTimersByTimeAsync(1000)
  expect(trials()).toBe(2)
  await vi.advanceTimersByTimeAsync(60_000)
  valve.failed('no space')
  await vi.advanceTimersByTimeAsync(1000)
  expect(trials()).toBe(3)
})

test('only an archive that is unavailable shuts it', async () => {
  const failures: string[] = []
  const errors = [new PermanentError('schema', 'no record'), new RetryableError('archive-unavailable', 'the disk is full')]
  const keep = async () => await Promise.reject(errors.shift() ?? new Error('no more'))
  const records = watchRecords({ load: async () => null, keep, end() {} }, { failed: (reason) => failures.push(reason) })
  const stamp = {} as Parameters<RecordStore['keep']>[1]
  await expect(records.keep('raw', stamp, null)).rejects.toThrow('no record')
  expect(failures).toEqual([])
  await expect(records.keep('raw', stamp, null)).rejects.toThrow('the disk is full')
  expect(failures).toEqual(['the disk is full'])
})
