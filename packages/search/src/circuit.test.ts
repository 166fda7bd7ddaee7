import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Circuit, createCircuit } from './circuit.ts'
import type { Fault } from './faults.ts'

const REFUSED: Fault = { status: 0, type: 'no connection: connect ECONNREFUSED 127.0.0.1:9' }
const BLOCKED: Fault = { status: 403, type: 'cluster_block_exception' }

/** A circuit whose waits are as long as they can be, and whose probe answers what the test says. */
function open(random = () => 1) {
  const lines: string[] = []
  const say = (_fields: object, message: string) => void lines.push(message)
  const log = { debug: say, info: say, warn: say, error: say, child: () => log }
  let answer: Fault | null = null
  let probes = 0
  const probe = async () => {
    probes += 1
    return answer
  }
  const circuit = createCircuit({ log, probe, random })
  const changes: boolean[] = []
  const reasons: (string | null)[] = []
  circuit.onChange((flows) => changes.push(flows))
  circuit.onReason((reason) => reasons.push(reason))
  return {
    circuit,
    lines,
    changes,
    reasons,
    answers: (fault: Fault | null) => void (answer = fault),
    probes: () => probes,
  }
}

/** How long it waits until work may be tried again, in milliseconds. */
async function untilFlows(circuit: Circuit): Promise<number> {
  const since = Date.now()
  while (!circuit.flows()) await vi.advanceTimersByTimeAsync(50)
  return Date.now() - since
}

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('a circuit', () => {
  it('lets work flow, and successes change nothing', () => {
    const { circuit, lines } = open()
    circuit.succeeded()
    expect([circuit.flows(), circuit.reason(), circuit.waitMs(), lines]).toEqual([true, null, 0, []])
  })

  it('opens at the first fault with its reason, asks half a second later, and closes at the first success', async () => {
    const { circuit, lines, changes, reasons, probes } = open()
    circuit.failed(REFUSED)
    expect([circuit.flows(), circuit.waitMs(), changes]).toEqual([false, 500, [false]])
    expect(circuit.reason()).toMatch(/ECONNREFUSED.*check that it runs/)
    await vi.advanceTimersByTimeAsync(499)
    expect(probes()).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect([circuit.flows(), circuit.waitMs(), changes]).toEqual([true, 0, [false, true]])
    // On trial: not yet known to be back.
    expect([circuit.reason() === null, lines]).toEqual([false, ["Elasticsearch can't be used: waiting"]])
    circuit.succeeded()
    expect([circuit.reason(), reasons.length, lines]).toEqual([null, 2, ["Elasticsearch can't be used: waiting", 'Elasticsearch is back']])
  })

  it('asks at growing distances, half a minute at most, and tells once however often', async () => {
    const { circuit, lines, answers, probes } = open()
    answers(REFUSED)
    circuit.failed(REFUSED)
    const waits: number[] = []
    for (let before = Date.now(); waits.length < 9;) {
      const asked = probes()
      await vi.advanceTimersByTimeAsync(500)
      if (probes() > asked) {
        waits.push(Date.now() - before)
        before = Date.now()
      }
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
    expect(lines).toHaveLength(1)
  })

  it('waits for half of that at least, by chance', async () => {
    expect(await openedFor(() => 0)).toBe(250)
    expect(await openedFor(() => 1)).toBe(500)
    async function openedFor(random: () => number) {
      const { circuit } = open(random)
      circuit.failed(REFUSED)
      return untilFlows(circuit)
    }
  })

  it('does not spin where asking succeeds and work fails, and starts anew after a success', async () => {
    const { circuit, lines } = open()
    const waits: number[] = []
    for (let turn = 0; turn < 8; turn += 1) {
      circuit.failed(BLOCKED)
      waits.push(await untilFlows(circuit))
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    expect(lines).toHaveLength(1)
    circuit.succeeded()
    circuit.failed(BLOCKED)
    expect(await untilFlows(circuit)).toBe(500)
  })

  it('is not moved by what was under way when it opened', async () => {
    const { circuit } = open()
    circuit.failed(REFUSED)
    for (let late = 0; late < 5; late += 1) circuit.failed(BLOCKED)
    circuit.succeeded()
    expect([circuit.flows(), circuit.waitMs()]).toEqual([false, 500])
    expect(circuit.reason()).toContain('ECONNREFUSED')
  })

  it('tells what it waits for now', async () => {
    const { circuit, answers, reasons } = open()
    circuit.failed(REFUSED)
    answers({ status: 503, type: 'partition not available', index: 'articles_v1-2026.10' })
    await vi.advanceTimersByTimeAsync(500)
    expect(circuit.reason()).toContain('articles_v1-2026.10 does not answer')
    expect(reasons).toHaveLength(2)
  })

  it('closes by itself where no work comes to show that Elasticsearch is back', async () => {
    const { circuit, lines } = open()
    circuit.failed(REFUSED)
    await vi.advanceTimersByTimeAsync(15_499)
    expect(circuit.reason()).not.toBeNull()
    await vi.advanceTimersByTimeAsync(1)
    expect([circuit.reason(), lines.at(-1)]).toEqual([null, 'Elasticsearch is back'])
  })

  it('asks no more when it is closed down, in the middle of a question too', async () => {
    const { circuit, probes, changes } = open()
    circuit.failed(REFUSED)
    circuit.close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(probes()).toBe(0)
    const other = open()
    other.circuit.failed(REFUSED)
    vi.advanceTimersByTime(500)
    other.circuit.close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect([other.probes(), other.changes, changes]).toEqual([1, [false], [false]])
  })
})
