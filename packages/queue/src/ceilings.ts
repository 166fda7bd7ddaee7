import type { Redis } from 'ioredis'
import { parseInfo } from './connection/check-redis.ts'

/** Up to where work is taken in; 0 means that nobody set that limit. */
export interface CeilingLimits {
  /** Most memory that Redis may use, in bytes. Whatever is set, 70 % of its maxmemory is the most: at all of it nothing can move, not even out. */
  redisBytes: number
  /** Free space that must stay on the archive's disk, in bytes. */
  diskBytes: number
  /** Most captures in flight. */
  inFlight: number
}

/** How much is asked for at once: captures, and bytes in hand. */
export interface Asked {
  captures: number
  bytes: number
}

export type LimitName = 'queue' | 'redis-memory' | 'disk'

/** A limit is reached: nothing was written, what was accepted goes on, and asking again after `retryAfter` seconds is right. The message names the limit. */
export class IntakeFullError extends Error {
  override readonly name = 'IntakeFullError'
  readonly limit: LimitName
  /** For HTTP: 429 where the queue is full, 503 where a store is. */
  readonly status: 429 | 503
  readonly retryAfter: number
  constructor(limit: LimitName, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.limit = limit
    this.status = limit === 'queue' ? 429 : 503
    this.retryAfter = RETRY_AFTER[limit]
  }
}
/** Seconds. A queue drains by itself; room on a disk is made by somebody. */
const RETRY_AFTER: Record<LimitName, number> = { queue: 10, 'redis-memory': 30, disk: 60 }

export interface Ceilings {
  /** Throws IntakeFullError where so much does not fit. */
  check(asked?: Asked): Promise<void>
}

interface Level {
  usedBytes: number
  redisLimit: number
  free: number
  inFlight: number
}

/** What a capture takes of Redis, entry, trail and job, in bytes, and of the archive before its page comes. */
const REDIS_BYTES = 2600
const RECORD_BYTES = 1024
const FULLEST = 0.7
const FRESH_MS = 1000
/** Where each limit is set. */
export const CEILING_SETTINGS = {
  inFlight: 'INTAKE_MAX_IN_FLIGHT',
  redisBytes: 'INTAKE_MAX_REDIS_BYTES',
  diskBytes: 'INTAKE_MIN_FREE_BYTES',
}

/** The limits of intake. The stores are asked at most once a second; what is let in meanwhile is added by estimate. */
export function createCeilings(at: {
  redis: Redis
  prefix: string
  limits: CeilingLimits
  /** Free bytes on the archive's disk. */
  freeBytes: () => Promise<number>
  settings?: typeof CEILING_SETTINGS
  now?: () => number
}): Ceilings {
  const { limits, settings = CEILING_SETTINGS, now = Date.now } = at
  let level: Promise<Level> | null = null
  let asOf = -Infinity
  let letIn: Asked = { captures: 0, bytes: 0 }

  async function measure(): Promise<Level> {
    const [info, inFlight, free] = await Promise.all([
      at.redis.info('memory'),
      at.redis.zcard(`${at.prefix}:flight`),
      limits.diskBytes > 0 ? at.freeBytes().catch(unreadable) : Infinity,
    ])
    const memory = parseInfo(info)
    const most = Number(memory.get('maxmemory') ?? 0)
    const redisLimit = Math.min(limits.redisBytes || Infinity, most > 0 ? most * FULLEST : Infinity)
    return { usedBytes: Number(memory.get('used_memory') ?? 0), redisLimit, free, inFlight }
  }

  async function current(): Promise<Level> {
    if (level === null || now() - asOf >= FRESH_MS) {
      asOf = now()
      letIn = { captures: 0, bytes: 0 }
      level = measure()
      // What failed is not kept: the next one asks anew.
      level.catch(() => (level = null))
    }
    return await level
  }

  return {
    async check(asked = { captures: 1, bytes: 0 }): Promise<void> {
      const found = await current()
      const captures = letIn.captures + asked.captures
      const bytes = letIn.bytes + asked.bytes
      const full = fullness({ found, captures, bytes, asked, limits, settings })
      if (full !== null) throw full
      letIn = { captures, bytes }
    },
  }
}

function fullness(at: {
  found: Level
  captures: number
  bytes: number
  asked: Asked
  limits: CeilingLimits
  settings: typeof CEILING_SETTINGS
}): IntakeFullError | null {
  const { found, captures, bytes, asked, limits, settings } = at
  if (limits.inFlight > 0 && found.inFlight + captures > limits.inFlight) {
    const fewer = asked.captures > limits.inFlight ? ` Of one request at most that many are taken: send fewer at once.` : ''
    return new IntakeFullError(
      'queue',
      `The queue is full: ${found.inFlight} captures are in flight, ${asked.captures} more were asked for, and ${settings.inFlight} is ${limits.inFlight}. Ask again when some have ended.${fewer}`,
    )
  }
  if (found.usedBytes + captures * REDIS_BYTES > found.redisLimit)
    return new IntakeFullError(
      'redis-memory',
      `Redis is as full as it may be: it uses ${mib(found.usedBytes)} of ${mib(found.redisLimit)}, the smaller of ${settings.redisBytes} and 70 % of its maxmemory. Ask again when captures have ended, or give it more memory.`,
    )
  if (limits.diskBytes > 0 && found.free - bytes - captures * RECORD_BYTES < limits.diskBytes)
    return new IntakeFullError(
      'disk',
      `The archive's disk is as full as it may be: ${mib(found.free)} are free, and ${settings.diskBytes} keeps ${mib(limits.diskBytes)}. Make room, then ask again.`,
    )
  return null
}

function unreadable(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause)
  throw new IntakeFullError('disk', `How much is free on the archive's disk can't be told (${reason}): check ARCHIVE_DIR.`, cause)
}

function mib(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(bytes < 100 * 1024 ** 2 ? 1 : 0)} MiB`
}
