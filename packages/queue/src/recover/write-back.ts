import { type CaptureId, captureTime, OUTCOMES, type Outcome, type StageName } from '@copydesk/contracts'
import { failpoint } from '@copydesk/pipeline'
import type { Redis } from 'ioredis'
import { refusalOf } from '../connection/explain.ts'
import { urlDigest } from '../keys.ts'
import { BEGIN, CLEAR, KNOW, RESTORE_ENDED, RESTORE_ENTRIES, RESTORE_TOTALS, RESTORE_URLS } from '../moves/restore.ts'
import type { Caps } from '../registry.ts'
import type { EndedCapture } from './ledger.ts'
import type { EntryPlan } from './plan.ts'

/** Recover can't go on, or has nothing to do; nothing is under way by it. The message says what to do. */
export class RecoverError extends Error {
  override readonly name = 'RecoverError'
}

/** What is known of an address: its captures, newest first. */
export interface UrlPlan {
  digest: string
  captures: CaptureId[]
  articleId: string
}

/** Captures in one script call, and calls sent at once: their order is kept, being on one connection. */
const BATCH = 100
const AT_ONCE = 4

/** What recover writes. Each call does nothing once another recover has begun, or anybody has set an epoch: then it throws RecoverError. */
export function createWriteBack(redis: Redis, prefix: string, token: string, caps: Caps) {
  async function call(script: string, args: (string | number)[]): Promise<string[]> {
    try {
      return ((await redis.eval(script, 1, `${prefix}:`, token, ...args)) as unknown[]).map(String)
    } catch (error) {
      const refusal = refusalOf(error)
      throw refusal ? new RecoverError(`${refusal.sentence} Then recover again.`, { cause: error }) : error
    }
  }

  async function restore(script: string, args: (string | number)[]): Promise<void> {
    failpoint('restore', 'before')
    const [answer] = await call(script, args)
    failpoint('restore', 'after')
    if (answer !== 'ok') throw new RecoverError('Another recover has begun, or Redis was put in use meanwhile: this one has stopped.')
  }

  /** `words`: the arguments of one item. */
  async function inBatches<T>(
    script: string,
    first: string | number,
    items: readonly T[],
    words: (item: T) => (string | number)[],
    onBatch: (done: number) => Promise<void>,
  ) {
    for (let from = 0; from < items.length; from += BATCH * AT_ONCE) {
      const calls = Array.from({ length: AT_ONCE }, (_, at) => items.slice(from + at * BATCH, from + (at + 1) * BATCH))
      await Promise.all(calls.filter((some) => some.length > 0).map(async (some) => await restore(script, [first, ...some.flatMap(words)])))
      await onBatch(Math.min(items.length, from + BATCH * AT_ONCE))
    }
  }

  return {
    /** Takes Redis for this recover. Throws RecoverError where there is nothing to recover, or Redis is another archive's. */
    async begin(epoch: string): Promise<'begun' | 'agreed' | 'foreign'> {
      return (await call(BEGIN, [epoch]))[0] as 'begun' | 'agreed' | 'foreign'
    },

    /** Takes away what a recover that was cut has left: what moves write under the prefix, and nothing of queues, tasks, leases or notices. */
    async clear(): Promise<void> {
      const own = new RegExp(`^${RegExp.escape(prefix)}:(?:(?:entry|key|trail|url):.*|counts|flight|dead|known|trails|urls|mark)$`, 's')
      let cursor = '0'
      do {
        const [next, keys] = await redis.scan(cursor, 'MATCH', `${globEscape(prefix)}:*`, 'COUNT', 1000)
        const found = keys.filter((key) => own.test(key))
        if (found.length > 0) await restore(CLEAR, ['', ...found])
        cursor = next
      } while (cursor !== '0')
    },

    known: async (ids: readonly CaptureId[], onBatch: OnBatch) =>
      await inBatches(KNOW, '', ids, (captureId) => [captureId, captureTime(captureId)], onBatch),

    ended: async (ended: readonly EndedCapture[], onBatch: OnBatch) =>
      await inBatches(RESTORE_ENDED, caps.trailSeconds, ended, endedWords, onBatch),

    /** In the order of captures: of two with one key the older one holds it. */
    entries: async (entries: readonly EntryPlan[], onBatch: OnBatch) => await inBatches(RESTORE_ENTRIES, '', entries, entryWords, onBatch),

    urls: async (urls: readonly UrlPlan[], onBatch: OnBatch) => await inBatches(RESTORE_URLS, caps.urlSeconds, urls, urlWords, onBatch),

    /** The last step, in one script: totals, mark and epoch; from here on everything moves. */
    async totals(at: { epoch: string; mark: number; accepted: number; byOutcome: ReadonlyMap<Outcome, number> }): Promise<void> {
      const counts = [['accepted', at.accepted] as const, ...OUTCOMES.map((name) => [name, at.byOutcome.get(name) ?? 0] as const)]
      failpoint('restore-totals', 'before')
      const [answer, ...sums] = await call(RESTORE_TOTALS, [at.epoch, at.mark, ...counts.flat()])
      failpoint('restore-totals', 'after')
      if (answer === 'unbalanced')
        throw new RecoverError(`What was written does not add up (${sums.join(', ')}): recover again, and report it.`)
      if (answer !== 'done') throw new RecoverError('Another recover has begun, or Redis was put in use meanwhile: this one has stopped.')
    },
  }
}
export type OnBatch = (done: number) => Promise<void>

function entryWords({ captureId, stage, run, envelope, key, dead }: EntryPlan): (string | number)[] {
  const { url, rev } = envelope
  const accepted = event(captureTime(captureId), 'accepted', envelope.ref === null ? 'fetch' : '')
  const ended = dead ? event(dead.at, 'ended', stage, dead.run, 'failed', dead.code, dead.cause) : ''
  const words = [captureId, stage, run, rev, JSON.stringify(envelope), key ?? '', urlDigest(url) ?? '', `||${url ?? ''}`, accepted, ended]
  return [...words, dead?.code ?? '', dead?.cause ?? '', dead?.at ?? '']
}

function endedWords({ item, end }: EndedCapture): (string | number)[] {
  const first: StageName = item.ref === null ? 'fetch' : 'clean'
  const head = `${end.articleId ?? ''}|${end.duplicateOf ?? ''}|${item.url ?? ''}`
  const kind = end.kind === 'dismissal' ? 'dismissed' : 'ended'
  const last = event(Date.parse(end.at), kind, end.stage, end.run, end.outcome ?? 'failed', end.code ?? '', end.cause ?? '')
  return [item.captureId, head, event(captureTime(item.captureId), 'accepted', first), last]
}

function urlWords({ digest, captures, articleId }: UrlPlan): (string | number)[] {
  return [digest, captures[0] ? captureTime(captures[0]) : 0, captures.join(' '), articleId]
}

/** A line of a trail, as the moves write it. */
function event(at: number, name: string, stage: string, run: number | '' = '', outcome = '', code = '', reason = ''): string {
  return [at, name, stage, run, '', '', outcome, code, reason].join('|')
}

function globEscape(text: string): string {
  return text.replaceAll(/[[\]*?\\^-]/g, '\\$&')
}
