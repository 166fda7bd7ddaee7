import type { Redis } from 'ioredis'

/** Redis is one that loses or drops work: the message says what to change. */
export class UnfitRedisError extends Error {
  override readonly name = 'UnfitRedisError'
}

/** What `INFO` says, `name` to value. */
export function parseInfo(text: string): Map<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'))
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

/**
 * What makes this Redis unfit, one sentence each with its cure; empty when it is fit. Read from INFO, not CONFIG, which managed servers forbid.
 */
export function redisFaults(info: Map<string, string>): string[] {
  const faults: string[] = []
  const version = info.get('redis_version') ?? '0'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  // Valkey and others report the Redis version that they are compatible with in the same field.
  if (major < 6 || (major === 6 && minor < 2)) faults.push(`Redis ${version} is too old: Copydesk needs 6.2 or newer.`)
  if (info.get('aof_enabled') === '0')
    faults.push('Redis keeps no append-only file and would lose what is under way at a restart: set `appendonly yes`.')
  const policy = info.get('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction')
    faults.push(`Redis may evict jobs when its memory is full (maxmemory-policy ${policy}): set \`maxmemory-policy noeviction\`.`)
  return faults
}

/** Refuses a Redis that would lose work. Throws UnfitRedisError with every fault and its cure. */
export async function checkRedis(redis: Redis): Promise<void> {
  const faults = redisFaults(parseInfo(await redis.info()))
  if (faults.length > 0) throw new UnfitRedisError(faults.join(' '))
}
