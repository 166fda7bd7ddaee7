import { randomUUID } from 'node:crypto'
import { TaskName, TaskView } from '@copydesk/contracts'
import type { Redis } from 'ioredis'

/** The same task is under way with another `apply`: ask again when it is done. */
export class TaskBusyError extends Error {
  override readonly name = 'TaskBusyError'
}

export type Tasks = ReturnType<typeof createTasks>
type TaskResult = NonNullable<TaskView['result']>

/** How long the answer of a task that ended is kept, in seconds. */
const KEPT_SECONDS = 7 * 24 * 3600

/** ARGV: 1 id, 2 apply, 3 time → '' and the task that is under way, or asked for now | busy */
const ASK = `
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'asked' or state == 'running' then
  if redis.call('HGET', KEYS[1], 'apply') ~= ARGV[2] then return {'busy'} end
else
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'apply', ARGV[2], 'state', 'asked', 'askedAt', ARGV[3])
end
return redis.call('HGETALL', KEYS[1])
`
/** ARGV: 1 time → the task, or nothing */
const TAKE = `
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'asked' and state ~= 'running' then return {} end
redis.call('HSET', KEYS[1], 'state', 'running', 'startedAt', ARGV[1])
redis.call('HDEL', KEYS[1], 'progress')
return redis.call('HGETALL', KEYS[1])
`
/** ARGV: 1 id, 2 seconds to keep it or 0, then fields and values → 1, or 0 where another was asked for */
const WRITE = `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
for at = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
if ARGV[2] ~= '0' then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 1
`

/**
 * Work over the whole archive, asked for by whoever may and done by the scheduler, which holds a lease meanwhile. Plain keys without the check of the epoch:
 * recover is asked for while the epoch is lost.
 */
export function createTasks({ redis, prefix, now = () => new Date() }: { redis: Redis; prefix: string; now?: () => Date }) {
  const keyOf = (task: TaskName) => `${prefix}:task:${task}`
  const write = async (task: TaskName, id: string, seconds: number, ...fields: string[]) =>
    (await redis.eval(WRITE, 1, keyOf(task), id, seconds, ...fields)) === 1

  return {
    /** Asks for a task, or joins the one under way. `apply` false: it only says what it would do. Throws TaskBusyError where it is under way the other way. */
    async ask(task: TaskName, apply: boolean): Promise<TaskView> {
      const words = (await redis.eval(ASK, 1, keyOf(task), randomUUID(), apply ? 1 : 0, now().toISOString())) as string[]
      if (words[0] !== 'busy') return toView(task, pairs(words))
      const other = apply ? 'is only looking what it would do' : 'is at work'
      throw new TaskBusyError(`${task} ${other} already: wait until it is done, then ask again.`)
    },

    /** The task that was asked for last; null where none was, or it was forgotten. */
    async read(task: TaskName): Promise<TaskView | null> {
      const found = await redis.hgetall(keyOf(task))
      return found['id'] === undefined ? null : toView(task, found)
    },

    /** For the holder of the lease: the task that waits, now running; also one that a dead holder left running. Null where none is. */
    async take(task: TaskName): Promise<TaskView | null> {
      const words = (await redis.eval(TAKE, 1, keyOf(task), now().toISOString())) as string[]
      return words.length === 0 ? null : toView(task, pairs(words))
    },

    /** Says how far it is. False where this task is not under way any more. */
    progress: async (task: TaskName, id: string, text: string): Promise<boolean> => await write(task, id, 0, 'progress', text),

    /** It is done, with what it found, or failed, with why. False where this task is not under way any more. */
    async finish(task: TaskName, id: string, end: { result: TaskResult } | { reason: string }): Promise<boolean> {
      const outcome = 'result' in end ? ['state', 'done', 'result', JSON.stringify(end.result)] : ['state', 'failed', 'reason', end.reason]
      return await write(task, id, KEPT_SECONDS, 'endedAt', now().toISOString(), ...outcome)
    },
  }
}

function pairs(words: string[]): Record<string, string> {
  return Object.fromEntries(Array.from({ length: words.length / 2 }, (_, at) => [words[at * 2] ?? '', words[at * 2 + 1] ?? '']))
}

function toView(task: TaskName, { apply, result, ...fields }: Record<string, string>): TaskView {
  return TaskView.parse({ task, ...fields, apply: apply === '1', ...(result && { result: JSON.parse(result) as unknown }) })
}
