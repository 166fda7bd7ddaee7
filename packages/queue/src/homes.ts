import type { ArticleId } from '@copydesk/contracts'
import type { Redis } from 'ioredis'
import { parseInfo } from './connection/check-redis.ts'

/** Longer than the index takes to show a new document to a search, and than anything stays under way. */
const HOME_SECONDS = 48 * 3600

/** Each article's home month (`2026.11`), remembered for two days: after that a search finds it. Implements the search adapter's HomeStore. */
export function createHomeStore(redis: Redis, prefix: string) {
  const keyOf = (articleId: ArticleId) => `${prefix}:home:${articleId}`
  let runId: string | null = null
  return {
    async get(articleIds: ArticleId[]): Promise<Map<ArticleId, string>> {
      if (articleIds.length === 0) return new Map()
      const months = await redis.mget(articleIds.map(keyOf))
      return new Map(articleIds.flatMap((id, at) => (months[at] ? [[id, months[at]] as const] : [])))
    },
    /** Claims a month for an article; answers the month that is its home, whoever claimed it first. */
    async claim(articleId: ArticleId, month: string): Promise<string> {
      const claimed = await redis.set(keyOf(articleId), month, 'EX', HOME_SECONDS, 'NX')
      return claimed === 'OK' ? month : ((await redis.get(keyOf(articleId))) ?? month)
    },
    /** Remembers a home that a search found. */
    async remember(articleId: ArticleId, month: string): Promise<void> {
      await redis.set(keyOf(articleId), month, 'EX', HOME_SECONDS)
    },
    /** Whether Redis is another process than at the last call, or was recovered: then claims may be lost, and the index must be refreshed before a search is believed. */
    async serverChanged(): Promise<boolean> {
      const before = runId
      const [info, recovered] = await Promise.all([redis.info('server'), redis.get(`${prefix}:recovered`)])
      runId = `${parseInfo(info).get('run_id')} ${recovered}`
      return before !== runId
    },
  }
}
