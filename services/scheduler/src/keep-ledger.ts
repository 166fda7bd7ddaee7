import { createLedgerReader, type Damage, findEnds } from '@copydesk/archive'
import { ArticleRecord, type CaptureId } from '@copydesk/contracts'
import { createNotices, createHomeStore, recover } from '@copydesk/queue'
import type { PipelineParts } from '@copydesk/runtime'
import { type Log, PermanentError } from '@copydesk/pipeline'
import { createAuditor, type createSearchClient, type SearchNames } from '@copydesk/search'
import { auditArchive, type AuditDeps, type AuditResult } from './audit.ts'
import type { Duty } from './keeper.ts'
import type { SchedulerEnv } from './env.ts'
import type { TaskWork } from './tasks.ts'

const DAY_MS = 24 * 3_600_000
/** Article records that the keeper compares by itself, of the last day's. */
const SAMPLE = 200
export const DAMAGED = 'a part of the archive is damaged and was passed over'

export interface LedgerDeps {
  env: SchedulerEnv
  parts: PipelineParts
  client: ReturnType<typeof createSearchClient>
  names: SearchNames
  log: Log
}

/** Redis and Elasticsearch put right from the archive: what the tasks `recover` and `audit` do, and the keeper's audit by sample. */
export function ledgerWorks({ env, parts, client, names, log }: LedgerDeps): { recover: TaskWork; audit: TaskWork; sample: Duty } {
  const folder = env.ARCHIVE_DIR
  const { redis, prefix, registry, reader } = parts
  const notices = createNotices({ redis, prefix })

  async function audit(options: { repair: boolean; sample?: number; sinceMs?: number }, onProgress?: (text: string) => void) {
    const damages = countDamage(log)
    const ledger = createLedgerReader(folder, { onDamage: (damage) => damages.add(damage) })
    const auditor = createAuditor({ client, homes: createHomeStore(redis, prefix), log, names })
    const deps: AuditDeps = {
      archive: {
        ends: () => ledger.ends(),
        articles: (sinceMs) => ledger.records('article', sinceMs),
        endsSince: async (captureIds: CaptureId[], sinceMs) => await findEnds(folder, captureIds, sinceMs),
        load: async (reference) => toArticleRecord((await reader.readRecord(reference)).content),
      },
      busy: async (captureIds) => {
        const states = await registry.states(captureIds)
        return new Set(captureIds.filter((id) => states.get(id) !== 'neither'))
      },
      compare: async (batch, how) => await auditor.audit(batch, how),
      log,
      now: Date.now,
    }
    try {
      const result = await auditArchive(deps, { ...options, ...(onProgress && { onProgress }) })
      await notices.set('alarm', 'audit', alarmOf(result, options.repair))
      return { ...result, damaged: damages.count() }
    } finally {
      await auditor.close()
    }
  }

  return {
    async recover(apply, onProgress) {
      const damages = countDamage(log)
      const archive = createLedgerReader(folder, { onDamage: (damage) => damages.add(damage) })
      const { epochStore } = parts
      return { ...(await recover({ redis, prefix, archive, epochStore, apply, onProgress, log, damaged: () => damages.count() })) }
    },
    audit: async (apply, onProgress) => ({ ...(await audit({ repair: apply }, onProgress)) }),
    sample: {
      name: 'audit',
      everyMs: env.AUDIT_MS,
      async run() {
        const result = await audit({ repair: false, sample: SAMPLE, sinceMs: Date.now() - DAY_MS })
        if (result.missing + result.old === 0) return null
        log.error({ ...result }, 'articles are missing or old in the index')
        return { missing: result.missing, old: result.old }
      },
    },
  }
}

/** What an operator is told until an audit finds nothing any more. */
function alarmOf({ compared, missing, old }: AuditResult, repaired: boolean): string | null {
  if (repaired || missing + old === 0) return null
  return `of ${compared} article records compared with Elasticsearch ${missing} articles are missing and ${old} are old there: run ./copydesk audit, then ./copydesk audit --repair --yes`
}

function toArticleRecord(content: unknown): ArticleRecord {
  const record = ArticleRecord.safeParse(content)
  if (record.success) return record.data
  throw new PermanentError('schema', 'the article record is not what its schema says: another version wrote it', { cause: record.error })
}

function countDamage(log: Log) {
  let count = 0
  return {
    count: () => count,
    add(damage: Damage): void {
      count += 1
      log.warn(damage, DAMAGED)
    },
  }
}
