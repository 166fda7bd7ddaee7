import { captureTime, CaptureId, type Code, type EndRecord, type Envelope, type Outcome, StageName } from '@copydesk/contracts'
import type { PermanentError } from '@copydesk/pipeline'
import type { Redis } from 'ioredis'
import { readEnvelope } from './envelope.ts'
import { createLooks } from './looks.ts'
import { ACCEPT, ACCEPT_ENDED } from './moves/accept.ts'
import { ALL, ENTRIES, FAILURE, FAILURES } from './moves/look.ts'
import { LOOK, MARK, TOTALS, TOUCH, UNKNOWN } from './moves/keep.ts'
import { DISMISS, RETRY } from './moves/operator.ts'
import { DEATH, END, HAND_OVER, PUT_BACK, START } from './moves/work.ts'
import { createScripts } from './scripts.ts'

/** What is kept of captures that have ended, and of addresses met. Counters stay whatever is forgotten. */
export interface Caps {
  trailSeconds: number
  trails: number
  urls: number
  /** How long an address that is not met again is kept. */
  urlSeconds: number
}
export const DEFAULT_CAPS: Caps = { trailSeconds: 7 * 24 * 3600, trails: 100_000, urls: 200_000, urlSeconds: 180 * 24 * 3600 }

export type Accepted =
  | { kind: 'accepted' }
  | { kind: 'duplicate'; duplicateOf: CaptureId }
  | { kind: 'known'; duplicateOf: CaptureId | null }

export interface Started {
  run: number
  attempt: number
  wakes: number
  envelope: Envelope
  /** Why the envelope can't be read, where it can't. */
  unreadable?: PermanentError
  /** When a rate limit first put this stage back (ms since 1970); null where none did. */
  limitedSince: number | null
}

/** Which job of which run a move speaks for, and how long it has worked. */
export interface Fence {
  captureId: CaptureId
  stage: StageName
  run: number
  attempt: number
  ms: number
}

export interface Totals {
  inFlight: number
  dead: number
  counts: ReadonlyMap<string, number>
  /** The capture in flight that nothing has touched for longest; null when none is. */
  stalest: CaptureId | null
}

export type Registry = ReturnType<typeof createRegistry>

/** The registry: one entry for each capture in flight, and the moves on it (docs/STAGES.md, Moves). Each move is one script, fenced by stage and run, and harmless when sent twice. */
export function createRegistry(redis: Redis, options: { prefix: string; epoch: () => string | null; caps?: Caps }) {
  const caps = options.caps ?? DEFAULT_CAPS
  const scripts = createScripts(redis, `${options.prefix}:`, options.epoch, {
    accept: ACCEPT,
    'accept-ended': ACCEPT_ENDED,
    start: START,
    'hand-over': HAND_OVER,
    'put-back': PUT_BACK,
    death: DEATH,
    end: END,
    retry: RETRY,
    dismiss: DISMISS,
    touch: TOUCH,
    look: LOOK,
    mark: MARK,
    unknown: UNKNOWN,
    totals: TOTALS,
    all: ALL,
    entries: ENTRIES,
    failures: FAILURES,
    failure: FAILURE,
  })

  return {
    /** Takes a capture in whose intake record is synced. `key` holds back a second run of the same work; `urlDigest` is its address in the URL ledger. */
    async accept(envelope: Envelope, item: { key: string; urlDigest: string | null }): Promise<Accepted> {
      const { captureId, url, rev } = envelope
      const words = await scripts.run(
        'accept',
        captureId,
        captureTime(captureId),
        url ?? '',
        item.key,
        item.urlDigest ?? '',
        firstStage(envelope),
        JSON.stringify(envelope),
        rev,
        caps.trailSeconds,
        caps.trails,
        caps.urls,
        caps.urlSeconds,
      )
      const duplicateOf = words[1] ? CaptureId.parse(words[1]) : null
      if (words[0] === 'duplicate' && duplicateOf) return { kind: 'duplicate', duplicateOf }
      return words[0] === 'known' ? { kind: 'known', duplicateOf } : { kind: 'accepted' }
    },

    /** Counts a capture that Redis has forgotten and whose end stands in the archive. */
    async acceptEnded(envelope: Envelope, end: EndRecord, item: { key: string; urlDigest: string | null }): Promise<void> {
      const { captureId, url, rev } = envelope
      await scripts.run(
        'accept-ended',
        captureId,
        captureTime(captureId),
        url ?? '',
        end.stage,
        JSON.stringify(envelope),
        rev,
        end.run,
        end.outcome ?? 'failed',
        end.code ?? '',
        end.cause ?? '',
        end.articleId ?? '',
        end.duplicateOf ?? '',
        caps.trailSeconds,
        caps.trails,
        firstStage(envelope),
        item.key,
        item.urlDigest ?? '',
      )
    },

    /** A job is taken: its run, attempt and envelope; null when it comes late and there is nothing to do. */
    async start(captureId: CaptureId, stage: StageName): Promise<Started | null> {
      const [kind, run, attempts, waits, envelope, limited] = await scripts.run('start', captureId, stage)
      if (kind === 'late') return null
      const limitedSince = limited ? Number(limited) : null
      return { run: Number(run), attempt: Number(attempts) + 1, wakes: Number(waits), ...readEnvelope(envelope, captureId), limitedSince }
    },

    /** The output is in the archive: on to the next stage. False when this run is not the one that counts any more. */
    async handOver(fence: Fence, next: StageName, envelope: Envelope): Promise<boolean> {
      const { captureId, stage, run, attempt, ms } = fence
      const [kind] = await scripts.run('hand-over', captureId, stage, run, next, JSON.stringify(envelope), attempt, ms)
      return kind === 'ok'
    },

    /** The job waits. `spend` says whether an attempt is spent; `envelope` replaces the old one where the stage said what to go on from. */
    async putBack(
      fence: Fence,
      wait: { spend: boolean; delayMs: number; code: Code; reason: string; envelope?: Envelope },
    ): Promise<boolean> {
      const { captureId, stage, run, attempt, ms } = fence
      const spent = wait.spend ? 1 : 0
      const envelope = wait.envelope ? JSON.stringify(wait.envelope) : ''
      const delay = Math.round(wait.delayMs)
      const [kind] = await scripts.run(
        'put-back',
        captureId,
        stage,
        run,
        spent,
        1 - spent,
        delay,
        envelope,
        attempt,
        ms,
        wait.code,
        brief(wait.reason, 200),
      )
      return kind === 'ok'
    },

    /** A parser died of the page: how often so far; null when late. */
    async death(fence: Fence, code: Code): Promise<number | null> {
      const [kind, deaths] = await scripts.run('death', fence.captureId, fence.stage, fence.run, code)
      return kind === 'died' ? Number(deaths) : null
    },

    /** The one counted outcome. False when late. */
    async end(
      fence: Fence,
      end: { outcome: Outcome; code?: Code | undefined; reason?: string | undefined; articleId?: string | undefined },
    ): Promise<boolean> {
      const { captureId, stage, run, attempt, ms } = fence
      const reason = brief(end.reason ?? '', 1024)
      const [kind] = await scripts.run(
        'end',
        captureId,
        stage,
        run,
        end.outcome,
        end.code ?? '',
        reason,
        end.articleId ?? '',
        attempt,
        ms,
        caps.trailSeconds,
        caps.trails,
      )
      return kind === 'ok'
    },

    /** Puts a dead letter under way again; `fromFetch` is the envelope and key to use where its record is gone. Null when it is no dead letter. */
    async retry(
      captureId: CaptureId,
      fromFetch: { envelope: Envelope; key: string } | null,
    ): Promise<{ stage: StageName; run: number; duplicateOf: CaptureId } | { stage: StageName; run: number; envelope: Envelope } | null> {
      const words = await scripts.run(
        'retry',
        captureId,
        fromFetch ? JSON.stringify(fromFetch.envelope) : '',
        caps.trailSeconds,
        caps.trails,
        fromFetch?.key ?? '',
      )
      if (words[0] === 'duplicate')
        return { duplicateOf: CaptureId.parse(words[1]), stage: StageName.parse(words[2]), run: Number(words[3]) }
      if (words[0] === 'retried')
        return { stage: StageName.parse(words[1]), envelope: readEnvelope(words[2], captureId).envelope, run: Number(words[3]) }
      return null
    },

    /** Lays a dead letter aside; null when it is none. */
    async dismiss(captureId: CaptureId): Promise<{ stage: StageName; run: number } | null> {
      const [kind, stage, run] = await scripts.run('dismiss', captureId, caps.trailSeconds, caps.trails)
      return kind === 'dismissed' ? { stage: StageName.parse(stage), run: Number(run) } : null
    },

    /** Entries in flight that nothing has touched for `ms` milliseconds, oldest first. */
    async untouched(ms: number, most: number): Promise<{ captureId: CaptureId; stage: StageName; envelope: Envelope }[]> {
      const [, ...words] = await scripts.run('look', '', ms, most)
      return Array.from({ length: words.length / 3 }, (_, at) => {
        const captureId = CaptureId.parse(words[at * 3])
        return { captureId, stage: StageName.parse(words[at * 3 + 1]), envelope: readEnvelope(words[at * 3 + 2], captureId).envelope }
      })
    },

    /** Looks at an entry again only `ms` milliseconds later than it would be. */
    async touch(captureId: CaptureId, ms: number): Promise<void> {
      await scripts.run('touch', captureId, ms)
    },

    /** Which of these captures Redis does not have. */
    async unknown(captureIds: CaptureId[]): Promise<CaptureId[]> {
      if (captureIds.length === 0) return []
      const [, ...words] = await scripts.run('unknown', '', ...captureIds)
      return words.map((word) => CaptureId.parse(word))
    },

    /** Sets the tail check's mark (ms since 1970). */
    async mark(at: number, knownSince: number): Promise<void> {
      await scripts.run('mark', '', at, knownSince)
    },

    /** Every counter, seen at one moment. */
    async totals(): Promise<Totals> {
      const [, inFlight, dead, stalest, ...pairs] = await scripts.run('totals', '')
      const counts = new Map<string, number>()
      for (let at = 0; at < pairs.length; at += 2) counts.set(pairs[at] ?? '', Number(pairs[at + 1]))
      return { inFlight: Number(inFlight), dead: Number(dead), counts, stalest: stalest ? CaptureId.parse(stalest) : null }
    },

    /** Writes a little, to see whether Redis takes writes at all: one that is full, or can't write its file, answers a ping all the same. Throws its refusal. */
    async probe(): Promise<void> {
      await redis.set(`${options.prefix}:probe`, '1', 'PX', 10_000)
    },

    ...createLooks(scripts),
  }
}

/** Where a capture begins: bytes in hand go straight to clean. */
export function firstStage(envelope: Envelope): StageName {
  return envelope.ref === null ? 'fetch' : 'clean'
}

function brief(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}
