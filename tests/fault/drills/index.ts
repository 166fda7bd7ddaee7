import type { Drill } from '../rig/drill.ts'
import { badPages } from './bad-pages.ts'
import { failpoints } from './failpoints.ts'
import { archiveDiskFull, redisDiskFull, redisFull } from './full.ts'
import { indexSetBack, redisWiped } from './lost-stores.ts'
import { redisCutBack, redisKilled, redisOldSockets, redisShaken } from './redis.ts'
import { searchAnswersLost, searchBlocked, searchGone, searchLateWrite, searchRejects, searchStatuses, searchTooLarge } from './search.ts'
import { spellings } from './spellings.ts'
import { workersFrozen, workersKilled, workersStopped } from './workers.ts'

/** Every drill, in the order of the table. */
export const DRILLS: readonly Drill[] = [
  workersKilled,
  workersStopped,
  redisKilled,
  redisShaken,
  redisOldSockets,
  redisCutBack,
  redisWiped,
  indexSetBack,
  redisFull,
  redisDiskFull,
  archiveDiskFull,
  workersFrozen,
  searchGone,
  searchStatuses,
  searchAnswersLost,
  searchLateWrite,
  searchRejects,
  searchTooLarge,
  searchBlocked,
  badPages,
  failpoints,
  spellings,
]
