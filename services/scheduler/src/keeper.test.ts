import { expect, test, vi } from 'vitest'
import { type Duty, startKeeper } from './keeper.ts'

const log = { debug() {}, info() {}, warn: vi.fn<() => void>(), error() {}, child: () => log }
const lease = (holds: boolean) => ({ hold: async () => holds, release: async () => undefined })
const duty = (run: Duty['run'], everyMs = 1000): Duty => ({ name: 'duty', everyMs, run })

async function after(ms: number, options: { holds?: boolean; open?: boolean; duty: Duty }): Promise<void> {
  vi.useFakeTimers()
  const keeper = startKeeper({
    duties: [options.duty],
    lease: lease(options.holds ?? true),
    open: () => options.open ?? true,
    log,
    tickMs: 100,
  })
  await vi.advanceTimersByTimeAsync(ms)
  await keeper.close()
  vi.useRealTimers()
}

test('a duty is done at once, then as often as it says', async () => {
  const run = vi.fn<Duty['run']>(async () => null)
  await after(2500, { duty: duty(run) })
  expect(run).toHaveBeenCalledTimes(3)
})

test('without the lease nothing is done', async () => {
  const run = vi.fn<Duty['run']>(async () => null)
  await after(2500, { duty: duty(run), holds: false })
  expect(run).not.toHaveBeenCalled()
})

test('while Redis and archive do not belong together nothing is done', async () => {
  const run = vi.fn<Duty['run']>(async () => null)
  await after(2500, { duty: duty(run), open: false })
  expect(run).not.toHaveBeenCalled()
})

test('a duty that throws is logged and tried again', async () => {
  const run = vi.fn<Duty['run']>(async () => {
    throw new Error('away')
  })
  await after(1500, { duty: duty(run) })
  expect(run).toHaveBeenCalledTimes(2)
  expect(log.warn).toHaveBeenCalledWith({ duty: 'duty', reason: 'away' }, expect.any(String))
})
