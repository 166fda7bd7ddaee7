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

/** Which server this is: several speak Redis's protocol and say in `redis_version` only what they are compatible with. */
function serverOf(info: Map<string, string>): { name: 'Redis' | 'Valkey' | 'Dragonfly' | 'KeyDB'; version: string } {
  const valkey = info.get('valkey_version')
  if (valkey !== undefined) return { name: 'Valkey', version: valkey }
  const dragonfly = info.get('dragonfly_version')
  if (dragonfly !== undefined) return { name: 'Dragonfly', version: dragonfly }
  const version = info.get('redis_version') ?? 'of an unknown version'
  return { name: info.has('mvcc_depth') || /keydb/.test(info.get('executable') ?? '') ? 'KeyDB' : 'Redis', version }
}

/**
 * What makes this Redis unfit, one sentence each with its cure; empty when it is fit. Read from INFO, not CONFIG, which managed servers forbid.
 */
export function redisFaults(info: Map<string, string>): string[] {
  const { name, version } = serverOf(info)
  if (name === 'Dragonfly')
    return [`This is Dragonfly ${version}: it keeps no append-only file and would lose what is under way at a restart. ${FIT}`]
  if (name === 'KeyDB') return [`This is KeyDB ${version}, beside which Copydesk was never proven to lose nothing. ${FIT}`]
  const faults: string[] = []
  if (isOld(name, version)) faults.push(`${name} ${version} is too old. ${FIT}`)
  if (info.get('aof_enabled') === '0')
    faults.push(`${name} keeps no append-only file and would lose what is under way at a restart: set \`appendonly yes\`.`)
  const policy = info.get('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction')
    faults.push(`${name} may evict jobs when its memory is full (maxmemory-policy ${policy}): set \`maxmemory-policy noeviction\`.`)
  return faults
}
const FIT = 'Copydesk needs Redis 6.2 or newer, or Valkey.'

function isOld(name: 'Redis' | 'Valkey', version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0)
  return name === 'Redis' && (major < 6 || (major === 6 && minor < 2))
}

/** Refuses a Redis that would lose work. Throws UnfitRedisError with every fault and its cure. */
export async function checkRedis(redis: Redis): Promise<void> {
  const faults = redisFaults(parseInfo(await redis.info()))
  if (faults.length > 0) throw new UnfitRedisError(faults.join(' '))
}
