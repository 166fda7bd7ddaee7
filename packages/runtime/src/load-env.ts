import { z } from 'zod'
import { parseKillAt } from './failpoints.ts'

/** A setting is wrong or missing: the message names the variable and what to set. The process ends with CONFIG_EXIT. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** EX_CONFIG of sysexits.h: starting again won't help. */
export const CONFIG_EXIT = 78

/** Reads the environment by a schema, once, at start. An empty variable counts as unset. Throws ConfigError naming each variable at fault. */
export function loadEnv<T>(schema: z.ZodType<T>, env: Record<string, string | undefined> = process.env): T {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => {
    const name = path.join('.')
    return given[name] === undefined ? `${name} is not set: ${message}` : `${name}=${shown(name, given[name])} is wrong: ${message}`
  })
  throw new ConfigError(faults.join('; '))
}

/** A secret never stands in a message. */
function shown(name: string, value: string): string {
  return /TOKEN|PASSWORD|SECRET|KEY/.test(name) ? '…' : JSON.stringify(value.replace(/\/\/[^/@]*@/, '//…@'))
}

const port = z.coerce.number({ error: 'a port is a number' }).int().min(0).max(65535)
const milliseconds = z.coerce.number({ error: 'it must be a whole number of milliseconds, 1 or more' }).int().min(1)
const count = z.coerce
  .number({ error: 'it must be a whole number, 1 or more' })
  .int({ error: 'it must be a whole number' })
  .min(1, { error: 'it must be 1 or more' })

/** A size: a number of bytes, or of KiB, MiB or GiB: `500MiB`. */
const bytes = z.union([z.number(), z.string()]).transform((value, context) => {
  const [, number, unit] = /^(\d{1,15})\s*(KiB|MiB|GiB)?$/.exec(String(value)) ?? []
  if (number !== undefined) return Number(number) * (UNITS[unit ?? ''] ?? 1)
  context.addIssue({ code: 'custom', message: 'a size is a number of bytes, or such as 500MiB or 2GiB' })
  return z.NEVER
})
const UNITS: Record<string, number> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** A setting that has a reader of its own, which throws an Error that says how it is written. */
function readBy<T>(parse: (text: string) => T) {
  return z.string().transform((text, context) => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })
}

/** The kinds of value that settings have. */
export const envTypes = {
  port,
  milliseconds,
  count,
  bytes,
  readBy,
  redisUrl: z.string().regex(/^rediss?:\/\/[^/]+/, 'an address such as redis://127.0.0.1:6379'),
  httpUrl: z.url({ protocol: /^https?$/, error: 'an address such as http://127.0.0.1:9200' }),
}

/** What every service reads. docs/OPERATIONS.md describes each. */
export const CommonEnv = z.object({
  REDIS_URL: envTypes.redisUrl.default('redis://127.0.0.1:6379'),
  REDIS_PREFIX: z
    .string()
    .regex(/^\{[\w-]+\}$/, 'a name in braces, such as {copydesk}')
    .default('{copydesk}'),
  ELASTICSEARCH_URL: envTypes.httpUrl.default('http://127.0.0.1:9200'),
  ARTICLES_ALIAS: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'a name in lower case')
    .default('articles'),
  ARCHIVE_DIR: z.string({ error: 'the folder where the archive lies' }).min(1),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  HEALTH_HOST: z.string().default('127.0.0.1'),
  HEALTH_PORT: port.default(0),
  SHUTDOWN_MS: milliseconds.default(8000),
  REDIS_SILENT_MS: milliseconds.default(30_000),
  SEGMENT_MS: milliseconds.default(900_000),
  KILL_AT: readBy(parseKillAt).optional(),
})
export type CommonEnv = z.infer<typeof CommonEnv>

/** What every stage's service reads beside that. */
export const StageEnv = CommonEnv.extend({
  LOCK_MS: milliseconds.default(30_000),
  STALLED_CHECK_MS: milliseconds.default(30_000),
  RETRY_ATTEMPTS: count.default(5),
  RETRY_BASE_MS: milliseconds.default(5000),
})
export type StageEnv = z.infer<typeof StageEnv>
