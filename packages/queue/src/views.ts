import {
  ArticleId,
  captureTime,
  CaptureId,
  type CaptureView,
  Code,
  OUTCOMES,
  Outcome,
  StageName,
  type StatusView,
  TrailEvent,
  type UrlView,
} from '@copydesk/contracts'
import type { Redis } from 'ioredis'
import type { EpochGate } from './epoch-gate.ts'
import { urlDigest } from './keys.ts'
import { createNotices } from './notices.ts'
import type { Queues } from './queues.ts'
import type { Registry } from './registry.ts'
import { EpochError } from './scripts.ts'

export type Views = ReturnType<typeof createViews>

/** What an operator is shown of Redis: the state of all, of a capture, of an address. Where Redis does not answer it throws what isRedisAway knows. */
export function createViews(at: { redis: Redis; registry: Registry; queues: Queues; gate: EpochGate; prefix: string; now?: () => number }) {
  const { redis, prefix } = at
  const now = at.now ?? Date.now
  const notices = createNotices({ redis, prefix })

  async function capture(captureId: CaptureId): Promise<CaptureView | null> {
    const [trail, entry] = await Promise.all([
      redis.lrange(`${prefix}:trail:${captureId}`, 0, -1),
      redis.hgetall(`${prefix}:entry:${captureId}`),
    ])
    const [head, ...lines] = trail
    if (head === undefined) return null
    const [articleId, duplicateOf, ...url] = head.split('|')
    const events = lines.map(readEvent)
    const ended = events.findLast(({ event }) => event === 'ended' || event === 'dismissed')
    const over = entry['stage'] === undefined || entry['dead'] !== undefined
    return {
      captureId,
      url: url.join('|') || null,
      ...(entry['stage'] !== undefined && { stage: StageName.parse(entry['stage']) }),
      ...(over && ended?.outcome && { outcome: ended.outcome }),
      ...(over && ended?.code && { code: ended.code }),
      ...(over && ended?.reason && { reason: ended.reason }),
      ...(articleId && { articleId: ArticleId.parse(articleId) }),
      ...(duplicateOf && { duplicateOf: CaptureId.parse(duplicateOf) }),
      events,
    }
  }

  async function urlView(url: string): Promise<UrlView> {
    const known = await redis.hgetall(`${prefix}:url:${urlDigest(url)}`)
    const ids = (known['captures'] ?? '').split(' ').filter(Boolean)
    const captures = await Promise.all(ids.map(async (id) => await capture(CaptureId.parse(id))))
    return {
      url,
      ...(known['articleId'] && { articleId: ArticleId.parse(known['articleId']) }),
      captures: captures.filter((each) => each !== null),
    }
  }

  async function status(): Promise<StatusView> {
    const reason = at.gate.reason()
    // Nothing can be counted then: the error says what is waited for.
    if (reason !== null) throw new EpochError(reason)
    const [totals, stages, said] = await Promise.all([at.registry.totals(), at.queues.counts(), notices.read()])
    const outcomes = Object.fromEntries(OUTCOMES.map((name) => [name, totals.counts.get(name) ?? 0])) as Record<Outcome, number>
    const accepted = totals.counts.get('accepted') ?? 0
    const ended = Object.values(outcomes).reduce((sum, count) => sum + count, 0)
    return {
      accepted,
      inFlight: totals.inFlight,
      outcomes,
      balanced: accepted === totals.inFlight + ended && outcomes.failed === totals.dead,
      late: totals.counts.get('late') ?? 0,
      stages,
      lag: totals.stalest === null ? null : Math.max(0, now() - captureTime(totals.stalest)),
      ...said,
    }
  }

  return {
    /** One capture and its trail; null when it is not known (any more). */
    capture: async (captureId: CaptureId) => await capture(captureId),

    /** What the URL ledger knows of an address: its last captures, newest first, and its article. Throws UrlError where it is none. */
    url: async (url: string): Promise<UrlView> => await urlView(url),

    /** The sums, seen at one moment, and the queues beside them. */
    status,
  }
}

/** `at|event|stage|run|attempt|ms|outcome|code|reason`, as the moves write it. */
function readEvent(line: string): TrailEvent {
  const [at, event, stage, run, attempt, ms, outcome, code, ...reason] = line.split('|')
  return TrailEvent.parse({
    at: new Date(Number(at)).toISOString(),
    event,
    ...(stage && { stage }),
    ...(run && { run: Number(run) }),
    ...(attempt && { attempt: Number(attempt) }),
    ...(ms && { ms: Number(ms) }),
    ...(outcome && { outcome: Outcome.parse(outcome) }),
    ...(code && { code: Code.parse(code) }),
    ...(reason.length > 0 && reason.join('|') !== '' && { reason: reason.join('|') }),
  })
}
