import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

const RENEW = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`
const GIVE_UP = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

/** A lease in Redis: one holder at a time, free again when its holder dies. What is done under it must still be harmless when done twice. */
export function createLease(redis: Redis, options: { prefix: string; name: string; ms: number }) {
  const key = `${options.prefix}:lease:${options.name}`
  const token = randomUUID()
  return {
    /** Takes or renews it; false when another process holds it. */
    async hold(): Promise<boolean> {
      if ((await redis.eval(RENEW, 1, key, token, options.ms)) === 1) return true
      return (await redis.set(key, token, 'PX', options.ms, 'NX')) === 'OK'
    },
    /** Gives it up, if it is ours. */
    async release(): Promise<void> {
      await redis.eval(GIVE_UP, 1, key, token)
    },
  }
}
