import {
  type CaptureId,
  captureTime,
  type EndRecord,
  type Failure,
  type FailuresView,
  type FailureView,
  type SettledAllView,
  type SettledView,
} from '@copydesk/contracts'
import { fetchKey } from './keys.ts'
import type { EndWriter } from './keeper/tail-check.ts'
import type { DeadLetter } from './looks.ts'
import type { Queues } from './queues.ts'
import type { Registry } from './registry.ts'
import type { Views } from './views.ts'

/** This capture is no dead letter; the message says what it is instead. `known` is false where nothing is known of it. */
export class NotDeadError extends Error {
  override readonly name = 'NotDeadError'
  readonly known: boolean
  constructor(message: string, known: boolean) {
    super(message)
    this.known = known
  }
}

export interface FailuresOptions {
  registry: Registry
  queues: Queues
  ends: EndWriter
  views: Views
  /** Told of a job that could not be added: the reconciler adds it. */
  onError?: (error: unknown) => void
  now?: () => Date
}

export type Failures = ReturnType<typeof createFailures>

/** Dead letters that are asked for at once, and moves under way at once, where all of them are settled. */
const BATCH = 200
const AT_ONCE = 20

/**
 * The dead letters, and what an operator does about them. A kill between a move and its end record leaves the failed end as the last one in the archive:
 * nothing comes of it unless Redis is lost before the capture ends. Then it is a dead letter again, to be retried or dismissed again.
 */
export function createFailures({ registry, queues, ends, views, onError = () => undefined, now = () => new Date() }: FailuresOptions) {
  function note(letter: DeadLetter, end: Pick<EndRecord, 'kind' | 'stage' | 'run' | 'outcome' | 'duplicateOf'>): void {
    const { captureId, envelope } = letter
    ends.end({ v: 1, captureId, rev: envelope.rev, at: now().toISOString(), ...end })
  }

  /** Null where it was settled by another meanwhile. */
  async function retryLetter(letter: DeadLetter): Promise<SettledView | null> {
    const { captureId, envelope } = letter
    const { resume: _, ...rest } = envelope
    const fromFetch = envelope.url === null ? null : { envelope: { ...rest, ref: null }, key: fetchKey(envelope.url) }
    const retried = await registry.retry(captureId, fromFetch)
    if (retried === null) return null
    const { stage, run } = retried
    if ('duplicateOf' in retried) {
      note(letter, { kind: 'end', stage, run, outcome: 'duplicate-run', duplicateOf: retried.duplicateOf })
      return { captureId, stage, duplicateOf: retried.duplicateOf }
    }
    note(letter, { kind: 'retry', stage, run })
    await queues.add(stage, retried.envelope).catch(onError)
    return { captureId, stage }
  }

  async function dismissLetter(letter: DeadLetter): Promise<SettledView | null> {
    const dismissed = await registry.dismiss(letter.captureId)
    if (dismissed === null) return null
    note(letter, { kind: 'dismissal', ...dismissed, outcome: 'dismissed' })
    return { captureId: letter.captureId, stage: dismissed.stage }
  }

  async function one(captureId: CaptureId, settle: (letter: DeadLetter) => Promise<SettledView | null>): Promise<SettledView> {
    const letter = await registry.failure(captureId)
    return (letter && (await settle(letter))) ?? (await notDead(captureId))
  }

  async function notDead(captureId: CaptureId): Promise<never> {
    const [capture, states] = [await views.capture(captureId), await registry.states([captureId])]
    if (states.get(captureId) === 'in-flight')
      throw new NotDeadError(
        `${captureId} is under way${capture?.stage ? ` at ${capture.stage}` : ''}: there is nothing to retry or dismiss.`,
        true,
      )
    if (capture === null) throw new NotDeadError(`${captureId} is not known: it was never taken in, or has ended and is forgotten.`, false)
    throw new NotDeadError(
      `${captureId} has ended as ${capture.outcome ?? 'something else'}: only a failed capture can be retried or dismissed.`,
      true,
    )
  }

  /** All dead letters that there are now, oldest first; what fails meanwhile is left for the next time. */
  async function all(settle: (letter: DeadLetter) => Promise<SettledView | null>): Promise<SettledAllView> {
    const untilMs = now().getTime()
    const done = { settled: 0, duplicates: 0, gone: 0 }
    let after: { captureId: CaptureId; at: number } | null = null
    for (;;) {
      const { letters } = await registry.failures(BATCH, after)
      const old = letters.filter(({ at }) => at <= untilMs)
      for (let from = 0; from < old.length; from += AT_ONCE) {
        for (const settled of await Promise.all(old.slice(from, from + AT_ONCE).map(settle))) {
          done[settled === null ? 'gone' : settled.duplicateOf ? 'duplicates' : 'settled'] += 1
        }
      }
      after = letters.at(-1) ?? null
      if (old.length < BATCH) return done
    }
  }

  async function failedAt(captureId: CaptureId): Promise<number> {
    const letter = await registry.failure(captureId)
    if (letter !== null) return letter.at
    // No dead letter any more: its trail knows when it failed. Where that is gone too the page begins early enough.
    const failed = (await views.capture(captureId))?.events.findLast(({ outcome }) => outcome === 'failed')
    return failed ? Date.parse(failed.at) : captureTime(captureId)
  }

  return {
    /** A page of them, oldest first. `after`: the last one that was shown; where it was settled meanwhile none is passed over. */
    async list({ size, after }: { size: number; after?: CaptureId | undefined }): Promise<FailuresView> {
      const { total, letters } = await registry.failures(size, after === undefined ? null : { captureId: after, at: await failedAt(after) })
      const failures = letters.map(toFailure)
      return { total, failures, after: letters.length < size ? null : (failures.at(-1)?.captureId ?? null) }
    },

    /** One of them, with its trail; null where it is none. */
    async get(captureId: CaptureId): Promise<FailureView | null> {
      const [letter, capture] = [await registry.failure(captureId), await views.capture(captureId)]
      return letter && capture && { failure: toFailure(letter), capture }
    },

    /** Puts it under way again, at its stage, or at fetch where its record is gone. Throws NotDeadError where it is no dead letter. */
    retry: async (captureId: CaptureId): Promise<SettledView> => await one(captureId, retryLetter),
    /** Lays it aside for good. Throws NotDeadError where it is no dead letter. */
    dismiss: async (captureId: CaptureId): Promise<SettledView> => await one(captureId, dismissLetter),
    /** Retries all that there are now. `gone`: settled by another meanwhile. */
    retryAll: async (): Promise<SettledAllView> => await all(retryLetter),
    dismissAll: async (): Promise<SettledAllView> => await all(dismissLetter),
  }
}

function toFailure({ captureId, at, stage, code, cause, envelope }: DeadLetter): Failure {
  return { captureId, url: envelope.url, stage, code, cause, at: new Date(at).toISOString() }
}
