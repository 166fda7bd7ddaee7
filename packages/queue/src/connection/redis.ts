import { Redis } from 'ioredis'

/**
 * `worker`: waits for a Redis that is away, as long as it takes. `producer`: answers at once that it is away, so that an API can say so.
 */
export type ConnectionRole = 'worker' | 'producer'

/** Above the longest blocking read (drainDelay, 5 s): a Redis that falls silent without closing its socket would else hang every command for ever. */
const SILENT_MS = 30_000

/** A producer blocks on nothing: this long without an answer, and Redis is as good as away. */
const COMMAND_TIMEOUT_MS = 5000

/**
 * The options of every connection to Redis. Reconnects wait at most 2 s: BullMQ's own default grows to 20 s.
 * `silentMs`: how long a socket that is waited on may be silent before it is dropped, in milliseconds.
 */
export function redisOptions(url: string, role: ConnectionRole, silentMs = SILENT_MS) {
  const { hostname, port, username, password, pathname, protocol } = new URL(url)
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(pathname.length > 1 && { db: Number(pathname.slice(1)) }),
    ...(protocol === 'rediss:' && { tls: {} }),
    retryStrategy: (times: number) => Math.min(100 * times, 2000),
    socketTimeout: silentMs,
    connectTimeout: 5000,
    ...(role === 'worker'
      ? { maxRetriesPerRequest: null, enableOfflineQueue: true }
      : { maxRetriesPerRequest: 1, enableOfflineQueue: false, commandTimeout: COMMAND_TIMEOUT_MS }),
  }
}

/** How often a connection is asked whether it is alive, in milliseconds: one that is seldom used would else be found silent only when it is needed. */
const BEAT_MS = 1500
/** An answer that is this late is told of, in milliseconds. */
const LATE_MS = 3000

/**
 * A connection; errors, and a Redis that is late with an answer, are reported through `onError` (at most one line a second would do: a Redis that is away makes many).
 * A socket that is silent for `silentMs` though it was asked something is dropped and made anew; it is asked every few seconds.
 */
export function connectRedis(url: string, role: ConnectionRole, onError: (error: Error) => void, silentMs = SILENT_MS): Redis {
  const redis = new Redis(redisOptions(url, role, silentMs))
  redis.on('error', onError)
  // One that is back at the first try makes no error, and was away all the same.
  redis.on('reconnecting', () => onError(new Error('the connection to Redis was lost and is made anew')))
  let askedAt: number | null = null
  const ask = () => {
    const late = askedAt === null ? 0 : performance.now() - askedAt
    if (late > LATE_MS) onError(new Error(`Redis does not answer: asked ${(late / 1000).toFixed(1)} s ago`))
    if (askedAt !== null || redis.status !== 'ready') return
    askedAt = performance.now()
    void redis
      .ping()
      .catch(() => undefined)
      .finally(() => (askedAt = null))
  }
  const beat = setInterval(ask, Math.min(BEAT_MS, silentMs / 3)).unref()
  redis.on('end', () => clearInterval(beat))
  return redis
}

/** Waits until the connection is ready; false when it isn't after `ms` milliseconds. */
export async function redisReady(redis: Redis, ms: number): Promise<boolean> {
  if (redis.status === 'ready') return true
  return await new Promise((resolve) => {
    const timer = setTimeout(() => done(false), ms)
    const ready = () => done(true)
    function done(answer: boolean) {
      clearTimeout(timer)
      redis.off('ready', ready)
      resolve(answer)
    }
    redis.once('ready', ready)
  })
}
