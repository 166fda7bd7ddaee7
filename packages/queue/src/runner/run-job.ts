import { type CaptureId, type Code, type Envelope, STAGES, stageAfter, type StageName } from '@copydesk/contracts'
import { type End, type Log, PermanentError, RetryableError, type Stage } from '@copydesk/pipeline'
import type { Queues } from '../queues.ts'
import type { Fence, Registry, Started } from '../registry.ts'
import { type Fault, faultOf } from './fault.ts'
import type { RecordStore } from './record-store.ts'
import { retryDelay, type RetryPolicy } from './retry-policy.ts'

/** What was done about a job, for metrics: an outcome where it ended, else what happened instead. */
export interface Observation {
  stage: StageName
  result: 'handed-over' | 'ended' | 'put-back' | 'late'
  outcome?: string
  code?: Code
  ms: number
}

export interface JobDeps<Deps> {
  deps: Deps
  registry: Registry
  queues: Queues
  records: RecordStore
  log: Log
  retry: RetryPolicy
  deadlineMs: number
  observe: (observation: Observation) => void
  now: () => number
}

/** What the queue does with the job then: it is done, or comes back after a while. */
export type Disposal = { kind: 'done' } | { kind: 'delay'; ms: number }
const DONE: Disposal = { kind: 'done' }

/** The job was taken from this worker (lost lock, shutdown): nothing is decided, another run takes it up. */
export class JobLeftError extends Error {
  override readonly name = 'JobLeftError'
}

/**
 * Runs one job of a stage: start → run → keep the output → hand over → add the next job, in that order (docs/STAGES.md, Order).
 * A crash anywhere between makes a stage run once more, never less. `cancelled` aborts when the job is no longer this worker's.
 */
export async function runJob<Input, Output, Deps>(
  stage: Stage<Input, Output, Deps>,
  captureId: CaptureId,
  cancelled: AbortSignal,
  at: JobDeps<Deps>,
): Promise<Disposal> {
  const started = await at.registry.start(captureId, stage.name)
  if (started === null) {
    at.observe({ stage: stage.name, result: 'late', ms: 0 })
    return DONE
  }
  const since = at.now()
  const log = at.log.child({ captureId, run: started.run, attempt: started.attempt })
  const fence = (): Fence => ({
    captureId,
    stage: stage.name,
    run: started.run,
    attempt: started.attempt,
    ms: Math.round(at.now() - since),
  })
  try {
    const result = await runStage(stage, captureId, started, cancelled, log, at)
    if (!result.next) return await endCapture(fence(), started.envelope, result, log, at)
    return await handOver(stage, fence, started, result.output, at)
  } catch (error) {
    if (cancelled.aborted) throw new JobLeftError('the job is no longer this worker’s', { cause: error })
    return await mend(faultOf(error), fence(), started, error, log, at)
  }
}

async function runStage<Input, Output, Deps>(
  stage: Stage<Input, Output, Deps>,
  captureId: CaptureId,
  started: Started,
  cancelled: AbortSignal,
  log: Log,
  at: JobDeps<Deps>,
) {
  if (started.unreadable) throw started.unreadable
  const deadline = AbortSignal.timeout(at.deadlineMs)
  const signal = AbortSignal.any([cancelled, deadline])
  const input = parse(stage.input, await loadInput(stage, started.envelope, at), `the input of ${stage.name}`)
  const { rev } = started.envelope
  const work = stage.run(input, {
    deps: at.deps,
    log,
    signal,
    captureId,
    rev,
    run: started.run,
    attempt: started.attempt,
    wakes: started.wakes,
  })
  const result = await Promise.race([work, aborted(signal)]).catch((error: unknown) => {
    if (deadline.aborted && !cancelled.aborted)
      throw new RetryableError('deadline', `${stage.name} took longer than ${at.deadlineMs} ms`, { cause: error })
    throw error
  })
  return result.next ? { next: true as const, output: parse(stage.output, result.output, `the output of ${stage.name}`) } : result
}

async function loadInput<Input, Output, Deps>(stage: Stage<Input, Output, Deps>, envelope: Envelope, at: JobDeps<Deps>): Promise<unknown> {
  if (stage.from === 'envelope') return envelope
  if (envelope.ref === null) throw new PermanentError('schema', `${stage.name} was given no record`)
  return await at.records.load(envelope.ref)
}

function parse<T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: Error } },
  value: unknown,
  what: string,
): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new PermanentError('schema', `${what} is not what its schema says`, { cause: parsed.error })
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}

async function handOver<Input, Output, Deps>(
  stage: Stage<Input, Output, Deps>,
  fence: () => Fence,
  started: Started,
  output: Output,
  at: JobDeps<Deps>,
): Promise<Disposal> {
  const next = stageAfter(stage.name)
  const keeps = STAGES.find(({ name }) => name === stage.name)?.keeps
  if (!next || !keeps) throw new PermanentError('schema', `${stage.name} is the last stage and can only end captures`)
  const { captureId, rev, url, hints } = started.envelope
  const ref = await at.records.keep(keeps, { v: 1, captureId, rev, run: started.run }, output)
  const envelope: Envelope = { v: 1, captureId, rev, url, ref, ...(hints && next === 'clean' ? { hints } : {}) }
  const done = fence()
  if (!(await at.registry.handOver(done, next, envelope))) {
    at.observe({ stage: stage.name, result: 'late', ms: done.ms })
    return DONE
  }
  at.observe({ stage: stage.name, result: 'handed-over', ms: done.ms })
  await at.queues.add(next, envelope)
  return DONE
}

/** Ends a capture with its one outcome: counted, recorded, logged. Nothing of it happens where the run is not the one that counts. */
export async function endCapture<Deps>(fence: Fence, envelope: Envelope, end: EndFacts, log: Log, at: JobDeps<Deps>): Promise<Disposal> {
  const { outcome, code, evidence, articleId } = end
  if (!(await at.registry.end(fence, { outcome, code, reason: evidence, articleId }))) {
    at.observe({ stage: fence.stage, result: 'late', ms: fence.ms })
    return DONE
  }
  at.observe({ stage: fence.stage, result: 'ended', outcome, ...(code && { code }), ms: fence.ms })
  log.info({ outcome, code, reason: evidence, articleId, url: envelope.url, ms: fence.ms }, 'capture ended')
  at.records.end({
    v: 1,
    captureId: fence.captureId,
    rev: envelope.rev,
    run: fence.run,
    kind: 'end',
    at: new Date(at.now()).toISOString(),
    stage: fence.stage,
    outcome,
    ...(code && { code }),
    ...(evidence && { cause: evidence.slice(0, 1024) }),
    ...(articleId && { articleId }),
  })
  return DONE
}
type EndFacts = Omit<End, 'next' | 'outcome' | 'code'> & { outcome: End['outcome'] | 'failed'; code?: Code }

/** Puts the job back, or ends it as a dead letter. Logged once, here. */
async function mend<Deps>(fault: Fault, fence: Fence, started: Started, error: unknown, log: Log, at: JobDeps<Deps>): Promise<Disposal> {
  const { code, reason } = fault
  const fail = async () => {
    log.error(
      { code, reason, url: started.envelope.url, stack: code === 'internal' && error instanceof Error ? error.stack : undefined },
      'capture failed',
    )
    return await endCapture(fence, started.envelope, { outcome: 'failed', code, evidence: reason }, log, at)
  }
  if (fault.kind === 'fail' || (fault.kind === 'wait' && isPutOffForGood(fault, started, at))) return await fail()
  if (fault.kind === 'death') {
    const deaths = await at.registry.death(fence, code)
    if (deaths === null || deaths >= 2) return deaths === null ? DONE : await fail()
  }
  if (fault.kind !== 'wait' && fence.attempt >= at.retry.attempts) return await fail()
  const ms = fault.kind === 'wait' ? fault.ms : retryDelay(at.retry, fault.code, fence.attempt)
  const envelope = fault.kind === 'wait' && fault.resume !== undefined ? { ...started.envelope, resume: fault.resume } : undefined
  log.warn({ code, reason, url: started.envelope.url, waitMs: ms, spent: fault.kind !== 'wait' }, 'job put back')
  const kept = await at.registry.putBack(fence, { spend: fault.kind !== 'wait', delayMs: ms, code, reason, ...(envelope && { envelope }) })
  at.observe({ stage: fence.stage, result: kept ? 'put-back' : 'late', code, ms: fence.ms })
  return kept ? { kind: 'delay', ms } : DONE
}

/** A site that answers 429 for ever would keep a capture in flight for ever. What waits for our own stores is never given up. */
function isPutOffForGood<Deps>({ code }: Fault, { limitedSince }: Started, at: JobDeps<Deps>): boolean {
  return code === 'rate-limited' && limitedSince !== null && at.now() - limitedSince > (at.retry.limitedMs ?? Infinity)
}
