import { createFetcher, createGuard, parseAllowCidrs, userAgent } from '@copydesk/http'
import { envTypes, runStageService, StageEnv } from '@copydesk/runtime'
import { z } from 'zod'
import { fetchStage } from './stage.ts'

const FetchEnv = StageEnv.extend({
  FETCH_ALLOW_CIDRS: envTypes.readBy(parseAllowCidrs).default([]),
  FETCH_CONCURRENCY: envTypes.count.default(64),
  CRAWLER_CONTACT: z.string().optional(),
})

await runStageService(FetchEnv, fetchStage, async (env, _parts, { log }) => {
  const guard = createGuard({ allowCidrs: env.FETCH_ALLOW_CIDRS })
  if (env.FETCH_ALLOW_CIDRS.length > 0) log.warn({ allowed: env.FETCH_ALLOW_CIDRS }, 'private addresses may be fetched')
  if (!env.CRAWLER_CONTACT) log.warn({}, 'CRAWLER_CONTACT is not set: publishers cannot tell whom to ask')
  const fetcher = createFetcher({ guard, userAgent: userAgent(env.CRAWLER_CONTACT) })
  return {
    deps: { get: fetcher.get },
    concurrency: env.FETCH_CONCURRENCY,
    // The fetcher gives up after 30 s by itself; beyond that something is wrong with us.
    deadlineMs: 45_000,
    close: async () => await fetcher.close(),
  }
})
