import type { Redis } from 'ioredis'

/** `waiting`: what the pipeline waits for. `alarm`: what an operator must look into. */
export type NoticeKind = 'waiting' | 'alarm'
export type Notices = ReturnType<typeof createNotices>

/** By Redis's clock, so that the clocks of those who write and read may differ. A field is `kind:name`, its value `until|text`, until '' for as long as it is not taken back. */
const SET = `
if ARGV[2] == '' then return redis.call('HDEL', KEYS[1], ARGV[1]) end
local time = redis.call('TIME')
local till = ''
if ARGV[3] ~= '' then till = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]) end
return redis.call('HSET', KEYS[1], ARGV[1], till .. '|' .. ARGV[2])
`
const READ = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local all, out = redis.call('HGETALL', KEYS[1]), {}
for at = 1, #all, 2 do
  local till, text = string.match(all[at + 1], '^(%d*)|(.*)$')
  if till ~= '' and tonumber(till) <= now then redis.call('HDEL', KEYS[1], all[at])
  else out[#out + 1] = all[at]; out[#out + 1] = text end
end
return out
`

/** Sentences for `status`, from whichever process has one to say. Plain keys: they are read and written while Redis and archive do not belong together, too. */
export function createNotices({ redis, prefix }: { redis: Redis; prefix: string }) {
  const key = `${prefix}:notices`
  return {
    /**
     * Says something under a name, or with null takes it back. With `ttlMs` it is gone by itself unless it is said again in that time: for what a process says that may die.
     */
    async set(kind: NoticeKind, name: string, text: string | null, ttlMs?: number): Promise<void> {
      await redis.eval(SET, 1, key, `${kind}:${name}`, (text ?? '').replaceAll('\n', ' '), ttlMs === undefined ? '' : Math.round(ttlMs))
    },

    /** What is said now, by name, each sentence once. */
    async read(): Promise<{ waitingFor: string[]; alarms: string[] }> {
      const words = (await redis.eval(READ, 1, key)) as string[]
      const said = Array.from({ length: words.length / 2 }, (_, at) => [words[at * 2] ?? '', words[at * 2 + 1] ?? ''] as const)
      const of = (kind: NoticeKind) =>
        [...new Map(said.filter(([field]) => field.startsWith(`${kind}:`)).map(([field, text]) => [text, field])).entries()]
          .toSorted(([, a], [, b]) => (a < b ? -1 : 1))
          .map(([text]) => text)
      return { waitingFor: of('waiting'), alarms: of('alarm') }
    },
  }
}
