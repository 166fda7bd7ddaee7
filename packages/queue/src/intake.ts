import {
  CaptureId,
  type EndRecord,
  type FetchedPage,
  type Hints,
  type IntakeItem,
  type IntakeRecord,
  type RecordStamp,
  type Reference,
} from '@copydesk/contracts'
import { bytesPage, type Log } from '@copydesk/pipeline'
import { v7 as uuidv7 } from 'uuid'
import { type Ceilings, IntakeFullError } from './ceilings.ts'
import { refusalOf } from './connection/explain.ts'
import type { EpochGate } from './epoch-gate.ts'
import { fitHints } from './fit-hints.ts'
import { duplicateEnd, envelopeOf } from './keeper/tail-check.ts'
import { bytesKey, fetchKey, urlDigest } from './keys.ts'
import type { Queues } from './queues.ts'
import type { Registry } from './registry.ts'

/** Where intake is kept; the archive adapter implements it. */
export interface IntakeArchive {
  keepCapture(stamp: RecordStamp, page: FetchedPage): Promise<Reference>
  /** Resolves only after the record is synced. */
  keepIntake(record: IntakeRecord): Promise<Reference>
  end(record: EndRecord): void
}

/** Work that is asked for: an address to fetch (already checked), or bytes in hand. */
export interface IntakeRequest {
  url: string | null
  hints?: Hints
  bytes?: { body: Uint8Array; contentType: string | null }
}

export interface Taken {
  captureId: CaptureId
  duplicateOf?: CaptureId
}

/** Intake can't be taken now: nothing was written, and asking again later is right. */
export class IntakeClosedError extends Error {
  override readonly name = 'IntakeClosedError'
}

/** The intake record is written, or may be, and something failed before it was decided: these captures may be accepted yet, by the tail check. */
export class UndecidedError extends Error {
  override readonly name = 'UndecidedError'
  readonly captureIds: CaptureId[]
  constructor(captureIds: CaptureId[], cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      `The work may be accepted yet: it was being taken in when something failed (${reason}). Look the captures up before asking again.`,
      { cause },
    )
    this.captureIds = captureIds
  }
}

/**
 * Takes work in: bytes to the archive, then the intake record, synced, then accept, then the jobs (docs/ARCHITECTURE.md, steps 1 and 2).
 * Once it has answered nothing can lose the work: neither a kill nor any state of Redis.
 */
export function createIntake(at: {
  registry: Registry
  queues: Queues
  archive: IntakeArchive
  gate: EpochGate
  log: Log
  /** The limits of what is taken in; without them only what the stores can't take is refused. */
  ceilings?: Ceilings
  now?: () => Date
}) {
  const now = at.now ?? (() => new Date())

  async function itemOf(request: IntakeRequest): Promise<IntakeItem> {
    const captureId = CaptureId.parse(uuidv7())
    const { url, hints, bytes } = request
    const common = { captureId, url, ...(hints && { hints: fitHints(hints) }) }
    if (!bytes) {
      if (url === null) throw new TypeError('work needs an address or bytes')
      return { ...common, ref: null, key: fetchKey(url) }
    }
    const page = bytesPage({ ...bytes, url, at: now(), ...(hints && { hints }) })
    const ref = await at.archive.keepCapture({ v: 1, captureId, rev: 0, run: 0 }, page)
    return { ...common, ref, key: bytesKey(url, bytes.body) }
  }

  return {
    /**
     * Takes these requests in, in order. `source` names who asked.
     * Throws IntakeClosedError or IntakeFullError (nothing happened) or UndecidedError (it may have been accepted).
     */
    async take(requests: IntakeRequest[], source: string): Promise<Taken[]> {
      if (at.gate.epoch() === null) throw new IntakeClosedError(at.gate.reason() ?? 'Redis is not ready.')
      await at.registry.probe().catch(closed)
      const bytes = requests.reduce((sum, request) => sum + (request.bytes?.body.byteLength ?? 0), 0)
      await at.ceilings?.check({ captures: requests.length, bytes }).catch(closed)
      const items = await Promise.all(requests.map(itemOf)).catch((cause: unknown) => {
        throw new IntakeClosedError(`Nothing was taken in: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause })
      })
      const taken = now().toISOString()
      // It may stand in the archive although its write failed, and then the tail check accepts it.
      await at.archive.keepIntake({ v: 1, at: taken, source, items }).catch((cause: unknown) => undecided(items, cause))
      const results = await acceptAll(items, taken)
      await addJobs(items.filter((_item, index) => !results[index]?.duplicateOf))
      return results
    },
  }

  async function acceptAll(items: IntakeItem[], taken: string): Promise<Taken[]> {
    try {
      const answers = await Promise.all(
        items.map(async (item) => await at.registry.accept(envelopeOf(item), { key: item.key, urlDigest: urlDigest(item.url) })),
      )
      return answers.map((answer, index) => {
        const { captureId } = items[index] as IntakeItem
        const duplicateOf = answer.kind === 'accepted' ? null : answer.duplicateOf
        if (!duplicateOf) return { captureId }
        at.archive.end(duplicateEnd(envelopeOf(items[index] as IntakeItem), duplicateOf, taken))
        return { captureId, duplicateOf }
      })
    } catch (cause) {
      return undecided(items, cause)
    }
  }

  /** What is accepted is accepted: a job that can't be added now is the reconciler's work. */
  async function addJobs(items: IntakeItem[]): Promise<void> {
    try {
      const envelopes = items.map(envelopeOf)
      await at.queues.addAll(
        'fetch',
        envelopes.filter(({ ref }) => ref === null),
      )
      await at.queues.addAll(
        'clean',
        envelopes.filter(({ ref }) => ref !== null),
      )
    } catch (error) {
      at.log.warn({ reason: String(error), jobs: items.length }, 'jobs could not be added; the reconciler adds them')
    }
  }
}

function undecided(items: IntakeItem[], cause: unknown): never {
  throw new UndecidedError(
    items.map(({ captureId }) => captureId),
    cause,
  )
}

/** Says in plain words why nothing can be written. */
function closed(cause: unknown): never {
  if (cause instanceof IntakeFullError) throw cause
  const refusal = refusalOf(cause)
  if (refusal?.limit === 'memory') throw new IntakeFullError('redis-memory', `${NOTHING} ${refusal.sentence}`, cause)
  if (refusal?.limit === 'disk') throw new IntakeFullError('disk', `${NOTHING} ${refusal.sentence}`, cause)
  if (refusal) throw new IntakeClosedError(`${NOTHING} ${refusal.sentence}`, { cause })
  throw new IntakeClosedError('Redis does not answer; nothing was taken in. Ask again when it does.', { cause })
}
const NOTHING = 'Nothing was taken in.'
