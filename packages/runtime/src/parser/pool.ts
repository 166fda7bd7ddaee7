import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { ArticleRecord, CaptureId } from '@copydesk/contracts'
import type { CleanReply } from '@copydesk/extraction'
import { RetryableError } from '@copydesk/pipeline'
import workerpool from 'workerpool'
import { childOptions } from './child-options.ts'
import { type Answer, toError } from './protocol.ts'
import { runInChild } from './run-in-child.ts'
import { createSlots } from './slots.ts'
import type { ParserPool } from './tasks.ts'

export interface ParserPoolOptions {
  /** The archive's folder; null where every task brings its page with it. */
  store: string | null
  /** Child processes, started ahead and replaced when they die. */
  size: number
  deadlineMs?: number
  heapMb?: number
  residentMb?: number
  /** The children's program: another one in tests. */
  script?: string
}

/** The longest that ending waits for children, in milliseconds. */
const CLOSE_MS = 1000

/**
 * Makes a pool of child processes that read pages. workerpool forks them, replaces them and carries the messages; the rules are ours,
 * because its own queue stands still after a child's death, and its time-out waits for a child that may never answer.
 */
export function createParserPool(options: ParserPoolOptions): ParserPool {
  const { store, size, deadlineMs = 10_000, heapMb = 256, residentMb = heapMb + 384 } = options
  if (store !== null) makeFolder(store)
  const script = options.script ?? fileURLToPath(new URL('./child.ts', import.meta.url))
  const children = workerpool.pool(script, {
    workerType: 'process',
    minWorkers: size,
    maxWorkers: size,
    workerTerminateTimeout: 1,
    emitStdStreams: true,
    ...childOptions({ store, deadlineMs, heapMb }),
  })
  const slots = createSlots(size)
  const closing = new AbortController()
  const counts = { active: 0, died: 0, overran: 0, grown: 0 }
  const limits = { deadlineMs, residentMb }

  const working = new Set<Promise<void>>()

  async function run<Reply>(method: string, task: { captureId: CaptureId }, signal: AbortSignal): Promise<Reply> {
    const either = AbortSignal.any([signal, closing.signal])
    await slots.take(either)
    counts.active += 1
    const { answer, settled } = runInChild(children, { method, task, signal: either, limits, counts })
    // The slot is free when the child is, not when the caller has gone.
    const freed = settled.then(() => {
      counts.active -= 1
      working.delete(freed)
      slots.free()
    })
    working.add(freed)
    const got = (await answer) as Answer<Reply>
    if ('fault' in got) throw toError(got.fault)
    return got.reply
  }

  return {
    clean: (task, signal) => run<CleanReply>('clean', task, signal),
    describe: (task, signal) => run<ArticleRecord>('describe', task, signal),
    stats: () => ({ size, waiting: slots.waiting(), ...counts }),
    async close() {
      closing.abort(new RetryableError('internal', 'the parser pool is closed: the process is shutting down'))
      await Promise.race([Promise.all(working), sleep(CLOSE_MS)])
      // A child that was killed is replaced a turn later: end that one too.
      await setImmediate()
      await children.terminate(true, CLOSE_MS)
    },
  }
}

/** Children get no right to a folder that is missing when they start. Where it can't be made, each task says so, and its child is replaced. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o750 })
  } catch {
    // Mounted later, perhaps: no reason not to start.
  }
}
