import { fileURLToPath } from 'node:url'
import { setImmediate } from 'node:timers/promises'
import type { ArticleRecord, CaptureId } from '@copydesk/contracts'
import type { CleanReply } from '@copydesk/extraction'
import { RetryableError } from '@copydesk/pipeline'
import workerpool from 'workerpool'
import { childOptions } from './child-options.ts'
import { type Answer, type Started, toError } from './protocol.ts'
import { createSlots } from './slots.ts'
import type { ParserPool, ParserStats } from './tasks.ts'
import { type ChildLimits, watchChild } from './watch-child.ts'

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

/** A child that can't even start is no page's fault; more than this in a row is the machine's. */
const STARTS = 3

/**
 * Makes a pool of child processes that read pages. workerpool forks them, replaces them and carries the messages; the rules are ours,
 * because its own queue stands still after a child's death, and its time-out waits for a child that may never answer.
 */
export function createParserPool(options: ParserPoolOptions): ParserPool {
  const { store, size, deadlineMs = 10_000, heapMb = 256, residentMb = heapMb + 384 } = options
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

  async function run<Reply>(method: string, task: { captureId: CaptureId }, signal: AbortSignal): Promise<Reply> {
    const either = AbortSignal.any([signal, closing.signal])
    await slots.take(either)
    counts.active += 1
    const { answer, settled } = runInChild(children, { method, task, signal: either, limits, counts })
    // The slot is free when the child is, not when the caller has gone.
    void settled.finally(() => {
      counts.active -= 1
      slots.free()
    })
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
      while (counts.active > 0) await setImmediate()
      // A child that was killed is replaced a turn later: end that one too.
      await setImmediate()
      await children.terminate(true, 1000)
    },
  }
}

interface ChildTask {
  method: string
  task: { captureId: CaptureId }
  signal: AbortSignal
  limits: ChildLimits
  counts: Pick<ParserStats, 'died' | 'overran' | 'grown'>
}

/** Runs one task in whichever child is free. `answer` rejects as soon as the signal is aborted; `settled` resolves when the child is free or dead. */
function runInChild(children: workerpool.Pool, child: ChildTask): { answer: Promise<unknown>; settled: Promise<void> } {
  const { signal } = child
  const working = attempts(children, child)
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  const settled = working.then(
    () => signal.removeEventListener('abort', onAbort),
    () => signal.removeEventListener('abort', onAbort),
  )
  return { answer: Promise.race([working, aborted.promise]), settled }
}

async function attempts(children: workerpool.Pool, child: ChildTask): Promise<unknown> {
  for (let start = 1; ; start += 1) {
    const outcome = await attempt(children, child)
    if ('answer' in outcome) return outcome.answer
    if (outcome.began) throw outcome.error
    if (start === STARTS)
      throw new RetryableError('internal', `a parser's child process does not start: ${outcome.error.message}`, { cause: outcome.error })
    child.signal.throwIfAborted()
    // The pool takes the dead child off its list a turn later.
    await setImmediate()
  }
}

async function attempt(
  children: workerpool.Pool,
  { method, task, signal, limits, counts }: ChildTask,
): Promise<{ answer: unknown } | { began: boolean; error: Error }> {
  const watch = watchChild(limits)
  const onAbort = (): void => watch.kill('aborted')
  signal.addEventListener('abort', onAbort, { once: true })
  let [began, said] = [false, '']
  const on = (event: Started | { stderr?: string }): void => {
    if ('pid' in event) {
      began = true
      watch.begin(event.pid)
    } else said = `${said}${event.stderr ?? ''}`.slice(0, 2000)
  }
  try {
    return { answer: await children.exec(method, [task] as never, { on }) }
  } catch (error) {
    return { began, error: began ? deathOf(watch.killedFor(), limits, counts, said, error) : (error as Error) }
  } finally {
    watch.end()
    signal.removeEventListener('abort', onAbort)
  }
}

/** What a child's end means, counted. What it printed as it died (V8's last words) goes into the cause. */
function deathOf(
  killedFor: ReturnType<ReturnType<typeof watchChild>['killedFor']>,
  limits: ChildLimits,
  counts: ChildTask['counts'],
  said: string,
  cause: unknown,
): Error {
  const options = { cause: said === '' ? cause : new Error(said.trim(), { cause }) }
  if (killedFor === 'aborted') return new RetryableError('internal', 'the task was aborted', options)
  if (killedFor === 'overran') {
    counts.overran += 1
    return new RetryableError(
      'parser-timeout',
      `the parser worked on this page for more than ${limits.deadlineMs} ms and was ended`,
      options,
    )
  }
  counts.died += 1
  if (killedFor === 'grown') {
    counts.grown += 1
    return new RetryableError(
      'parser-died',
      `the parser took more than ${limits.residentMb} MiB of memory on this page and was ended`,
      options,
    )
  }
  const why = /heap/i.test(said) ? 'ran out of heap' : 'died'
  return new RetryableError('parser-died', `the parser ${why} on this page`, options)
}
