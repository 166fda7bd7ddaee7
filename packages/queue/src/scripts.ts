import { type Failpoint, failpoint, FAILPOINTS } from '@copydesk/pipeline'
import type { Redis } from 'ioredis'
import { PRELUDE } from './moves/prelude.ts'

/** Redis is not the one that the archive was filled with, or was emptied: every move does nothing until that is put right. */
export class EpochError extends Error {
  override readonly name = 'EpochError'
  constructor(
    reason = 'this Redis is not the one that the archive belongs to: it was emptied or replaced. Nothing moves until its data folder is back, it is filled again with ./copydesk recover --yes, or REDIS_URL and ARCHIVE_DIR name a pair that belongs together',
  ) {
    super(reason)
  }
}

export interface ScriptRunner<Name extends string> {
  /** Runs a script on behalf of a capture ('' for none). Answers its words; throws EpochError where the epoch is another. */
  run(name: Name, captureId: string, ...args: (string | number)[]): Promise<string[]>
}

const isFailpoint = (name: string): name is Failpoint => (FAILPOINTS as readonly string[]).includes(name)

/**
 * Makes the Lua scripts callable on a connection. Each is one round trip, atomic, and may be sent twice.
 * `epoch` answers the archive's epoch, or null while it is not known to match: then nothing is sent. A move's name is its failpoint's.
 */
export function createScripts<Name extends string>(
  redis: Redis,
  prefix: string,
  epoch: () => string | null,
  scripts: Record<Name, string>,
): ScriptRunner<Name> {
  for (const [name, body] of Object.entries<string>(scripts))
    redis.defineCommand(`copydesk_${name}`, { numberOfKeys: 1, lua: PRELUDE + body })
  return {
    async run(name, captureId, ...args) {
      const current = epoch()
      if (current === null) throw new EpochError()
      const command = Reflect.get(redis, `copydesk_${name}`) as (...args: (string | number)[]) => Promise<unknown>
      if (isFailpoint(name)) failpoint(name, 'before')
      const reply = await command.call(redis, prefix, current, captureId, ...args)
      if (isFailpoint(name)) failpoint(name, 'after')
      if (!Array.isArray(reply)) throw new TypeError(`the script ${name} answered something that is no list`)
      const words = reply.map(String)
      if (words[0] === 'epoch') throw new EpochError()
      return words
    },
  }
}
