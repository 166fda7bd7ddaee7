import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type BatchItem, createBatcher } from './batcher.ts'

type Item = BatchItem<string, string>

const never = new AbortController().signal

/** A batcher whose batches end when the test says so. The key is an input's first letter; each letter is a byte. */
function open() {
  const batches: { inputs: string[]; end(): void }[] = []
  const batcher = createBatcher<string, string>({
    keyOf: (input) => input[0]!,
    bytesOf: (input) => input.length,
    work: (batch: Item[]) =>
      new Promise((resolve) => {
        const end = () => {
          for (const item of batch) item.resolve(`${item.input} done`)
          resolve()
        }
        batches.push({ inputs: batch.map(({ input }) => input), end })
      }),
    maxItems: 3,
    maxBytes: 20,
    lingerMs: 500,
    quietMs: 50,
    maxInFlight: 2,
  })
  return { batcher, batches, started: () => batches.map(({ inputs }) => inputs.join(' ')) }
}

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('a batcher', () => {
  it('starts at once when it is full, and else when nothing has come for a short while', async () => {
    const { batcher, started } = open()
    for (const input of ['a', 'b', 'c', 'd']) void batcher.add(input, never)
    expect(started()).toEqual(['a b c'])
    const other = open()
    void other.batcher.add('a', never)
    await vi.advanceTimersByTimeAsync(49)
    void other.batcher.add('b', never)
    await vi.advanceTimersByTimeAsync(49)
    expect(other.started()).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(other.started()).toEqual(['a b'])
  })

  it('starts no later than its linger after the first, in a trickle that never pauses', async () => {
    const { batcher, batches, started } = open()
    void batcher.add('x', never)
    await vi.advanceTimersByTimeAsync(50)
    void batcher.add('a', never)
    await vi.advanceTimersByTimeAsync(400)
    void batcher.add('b', never)
    await vi.advanceTimersByTimeAsync(99)
    expect(started()).toEqual(['x'])
    await vi.advanceTimersByTimeAsync(1)
    expect(started()).toEqual(['x', 'a b'])
    expect(batches).toHaveLength(2)
  })

  it('counts bytes, and sends alone what is larger than a batch', () => {
    const { batcher, started } = open()
    void batcher.add('a'.repeat(15), never)
    void batcher.add('b'.repeat(15), never)
    expect(started()).toEqual(['a'.repeat(15)])
    void batcher.add('c'.repeat(30), never)
    expect(started()).toEqual(['a'.repeat(15), 'b'.repeat(15)])
  })

  it('has two batches under way at most', async () => {
    const { batcher, batches, started } = open()
    for (const input of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']) void batcher.add(input, never)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(started()).toEqual(['a b c', 'd e f'])
    batches[0]!.end()
    await vi.advanceTimersByTimeAsync(0)
    expect(started()).toEqual(['a b c', 'd e f', 'g h i'])
  })

  it('never works on two of one key at a time, and keeps their order', async () => {
    const { batcher, batches, started } = open()
    for (const input of ['a1', 'a2', 'b1', 'a3']) void batcher.add(input, never)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(started()).toEqual(['a1 b1'])
    batches[0]!.end()
    await vi.advanceTimersByTimeAsync(0)
    expect(started()).toEqual(['a1 b1', 'a2'])
    batches[1]!.end()
    await vi.advanceTimersByTimeAsync(0)
    expect(started()).toEqual(['a1 b1', 'a2', 'a3'])
  })

  it('settles each input as its item was, and one that is aborted at once', async () => {
    const { batcher, batches, started } = open()
    const abort = new AbortController()
    const late = new AbortController()
    const settled = Promise.allSettled([
      batcher.add('a', never),
      batcher.add('b', abort.signal),
      batcher.add('c', late.signal),
      batcher.add('d', AbortSignal.abort(new Error('before'))),
    ])
    expect(started()).toEqual(['a b c'])
    const waiting = batcher.add('e', abort.signal)
    abort.abort(new Error('deadline'))
    await expect(waiting).rejects.toThrow('deadline')
    batches[0]!.end()
    late.abort(new Error('too late'))
    expect(await settled).toMatchObject([
      { value: 'a done' },
      { reason: { message: 'deadline' } },
      { value: 'c done' },
      { reason: { message: 'before' } },
    ])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(started()).toHaveLength(1)
  })

  it('works off what waits when it is closed, and takes nothing more', async () => {
    const { batcher, batches, started } = open()
    const first = batcher.add('a1', never)
    const second = batcher.add('a2', never)
    const closed = batcher.close()
    expect(started()).toEqual(['a1'])
    batches[0]!.end()
    await vi.advanceTimersByTimeAsync(0)
    batches[1]!.end()
    await closed
    expect([await first, await second]).toEqual(['a1 done', 'a2 done'])
    await expect(batcher.add('b', never)).rejects.toThrow('shutting down')
  })
})
