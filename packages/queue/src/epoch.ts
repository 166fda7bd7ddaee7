import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

/** What the archive remembers of Redis; the archive adapter implements it. */
export interface EpochStore {
  /** The epoch in the archive; null when none was written. */
  read(): Promise<string | null>
  /** Writes it, synced, if none is there; `exists` where another process was first. */
  write(epoch: string): Promise<'written' | 'exists'>
  /** Whether the archive holds any segment. */
  hasSegments(): Promise<boolean>
}

/** `lost`: Redis and archive don't belong together; `reason` says how, and what to do. */
export type EpochVerdict = { kind: 'agreed'; epoch: string } | { kind: 'lost'; reason: string }

/**
 * Agrees on the epoch: which Redis and which archive belong together (docs/ARCHITECTURE.md, epoch). The first start makes it; after that every difference is a loss.
 * Harmless to ask again, from any process.
 */
export async function agreeEpoch(redis: Redis, store: EpochStore, prefix: string): Promise<EpochVerdict> {
  const key = `${prefix}:epoch`
  const [inRedis, inArchive] = [await redis.get(key), await store.read()]
  if (inRedis !== null && inRedis === inArchive) return { kind: 'agreed', epoch: inRedis }
  if (inArchive !== null) return inRedis === null ? await adopt(redis, store, prefix, inArchive) : { kind: 'lost', reason: REPLACED }
  if (await store.hasSegments()) return { kind: 'lost', reason: FOREIGN }
  if (inRedis !== null && Number((await redis.hget(`${prefix}:counts`, 'accepted')) ?? 0) > 0) return { kind: 'lost', reason: ARCHIVE_GONE }
  // Redis first, then the archive: a kill between the two is the case of an archive without segments beside a Redis that accepted nothing.
  await redis.set(key, randomUUID(), 'NX')
  const made = await redis.get(key)
  if (made === null) return { kind: 'lost', reason: EMPTIED }
  await store.write(made)
  return (await store.read()) === made ? { kind: 'agreed', epoch: made } : { kind: 'lost', reason: REPLACED }
}

/** Redis is empty. Beside an archive that holds nothing there is nothing to lose: such a Redis goes on under the archive's epoch. */
async function adopt(redis: Redis, store: EpochStore, prefix: string, inArchive: string): Promise<EpochVerdict> {
  const accepted = Number((await redis.hget(`${prefix}:counts`, 'accepted')) ?? 0)
  if (accepted > 0 || (await store.hasSegments())) return { kind: 'lost', reason: EMPTIED }
  await redis.set(`${prefix}:epoch`, inArchive, 'NX')
  const agreed = await redis.get(`${prefix}:epoch`)
  return agreed === inArchive ? { kind: 'agreed', epoch: inArchive } : { kind: 'lost', reason: REPLACED }
}

const EMPTIED =
  'Redis is empty, and the archive says that it was in use: bring back the data folder of Redis, or fill it again with ./copydesk recover --yes.'
const REPLACED =
  'Redis is another one than the archive was filled with: set REDIS_URL to the right one, bring back its data folder, or fill an empty one with ./copydesk recover --yes.'
const FOREIGN =
  'the archive holds segments of which this Redis knows nothing: set ARCHIVE_DIR and REDIS_URL to a pair that belongs together, or fill an empty Redis from this archive with ./copydesk recover --yes.'
const ARCHIVE_GONE = 'Redis has accepted work, and the archive is empty: set ARCHIVE_DIR to the folder that was in use.'
