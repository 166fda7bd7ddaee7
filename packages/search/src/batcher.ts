/** One input on its way, to be settled by whoever works on the batch. */
export interface BatchItem<Input, Output> {
  input: Input
  resolve(output: Output): void
  reject(error: unknown): void
}

export interface BatcherOptions<Input, Output> {
  /** Two inputs of one key are never worked on at the same time, nor in one batch. */
  keyOf(input: Input): string
  bytesOf(input: Input): number
  /** Works on a batch and settles every item in it. Never rejects. */
  work(batch: BatchItem<Input, Output>[]): Promise<void>
  maxItems: number
  maxBytes: number
  /** Longest wait of an input for others, in milliseconds, while a batch can be started. */
  lingerMs: number
  /** Without a batch under way, what came waits only until nothing more has come for this long. */
  quietMs: number
  maxInFlight: number
}

export interface Batcher<Input, Output> {
  /** Settles as the input's own item does; at once, with the signal's reason, when that is aborted. */
  add(input: Input, signal: AbortSignal): Promise<Output>
  /** Rejects all that waits, with an error made for each; what is worked on goes on. */
  refuse(error: () => unknown): void
  /** Works off what waits and takes nothing more. */
  close(): Promise<void>
}

interface Entry<Input, Output> extends BatchItem<Input, Output> {
  key: string
  bytes: number
  at: number
}

/** Gathers inputs into batches: full at so many items or bytes, and never later than `lingerMs` after the first. (The client's own helper waits for a pause, which in a steady trickle never comes.) */
export function createBatcher<Input, Output>(options: BatcherOptions<Input, Output>): Batcher<Input, Output> {
  let queue: Entry<Input, Output>[] = []
  const busy = new Set<string>()
  const working = new Set<Promise<void>>()
  let lastAt = 0
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function add(input: Input, signal: AbortSignal): Promise<Output> {
    if (closed) return Promise.reject(new Error('the batcher is closed: the process is shutting down'))
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error)
      lastAt = performance.now()
      const entry = { input, resolve, reject, key: options.keyOf(input), bytes: options.bytesOf(input), at: lastAt }
      const onAbort = () => {
        queue = queue.filter((other) => other !== entry)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      const settled = () => signal.removeEventListener('abort', onAbort)
      entry.resolve = (output) => (settled(), resolve(output))
      entry.reject = (error) => (settled(), reject(error as Error))
      queue.push(entry)
      schedule()
    })
  }

  function schedule(): void {
    clearTimeout(timer)
    if (queue.length === 0 || working.size >= options.maxInFlight) return
    const wait = dueAt() - performance.now()
    if (wait <= 0) start()
    else timer = setTimeout(start, wait)
  }

  function dueAt(): number {
    const bytes = queue.reduce((sum, entry) => sum + entry.bytes, 0)
    if (closed || queue.length >= options.maxItems || bytes >= options.maxBytes) return 0
    const quietAt = working.size === 0 ? lastAt + options.quietMs : Infinity
    return Math.min(queue[0]!.at + options.lingerMs, quietAt)
  }

  function start(): void {
    const batch = take()
    // Empty where all that waits has a key that is being worked on: what ends there schedules again.
    if (batch.length === 0) return
    const work = options.work(batch).finally(() => {
      for (const { key } of batch) busy.delete(key)
      working.delete(work)
      schedule()
    })
    working.add(work)
    schedule()
  }

  function take(): Entry<Input, Output>[] {
    const batch: Entry<Input, Output>[] = []
    const rest: Entry<Input, Output>[] = []
    let bytes = 0
    for (const entry of queue) {
      const isFull = batch.length >= options.maxItems || (batch.length > 0 && bytes + entry.bytes > options.maxBytes)
      if (isFull || busy.has(entry.key)) {
        rest.push(entry)
        continue
      }
      busy.add(entry.key)
      bytes += entry.bytes
      batch.push(entry)
    }
    queue = rest
    return batch
  }

  function refuse(error: () => unknown): void {
    const waiting = queue
    queue = []
    for (const entry of waiting) entry.reject(error())
    schedule()
  }

  async function close(): Promise<void> {
    closed = true
    schedule()
    while (working.size > 0) await Promise.all(working)
  }

  return { add, refuse, close }
}
