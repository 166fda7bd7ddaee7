import { setImmediate } from 'node:timers/promises'
import type { CaptureId } from '@copydesk/contracts'
import { RetryableError } from '@copydesk/pipeline'
import type workerpool from 'workerpool'
import type { Started } from './protocol.ts'
import type { ParserStats } from './tasks.ts'
import { type ChildLimits, type KillReason, watchChild } from './watch-child.ts'

/** A child that can't even start is no page's fault; more than this in a row is the machine's. */
const STARTS = 3

export interface ChildTask {
  method: string
  task: { captureId: CaptureId }
  signal: AbortSignal
  limits: ChildLimits
  counts: Pick<ParserStats, 'died' | 'overran' | 'grown'>
}

/** Runs one task in whichever child is free. `answer` rejects as soon as the signal is aborted; `settled` resolves when the child is free or dead. */
export function runInChild(children: workerpool.Pool, child: ChildTask): { answer: Promise<unknown>; settled: Promise<void> } {
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
function deathOf(killedFor: KillReason | null, limits: ChildLimits, counts: ChildTask['counts'], said: string, cause: unknown): Error {
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
