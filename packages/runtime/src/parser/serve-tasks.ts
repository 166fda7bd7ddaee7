import { runInThisContext } from 'node:vm'
import workerpool from 'workerpool'
import { type Answer, type Started, toFault } from './protocol.ts'

/** A task in two steps: what waits for the disk, and what works on the page. Only the second can go on without end. */
export interface Task<Source, Input, Reply> {
  load(source: Source): Promise<Input>
  work(input: Input): Reply
}

/** How much later than the pool a child ends a task by itself, in milliseconds. */
const GRACE_MS = 2000

/**
 * Answers the pool's tasks in a child process. The pool kills a child at the deadline; one whose parent was killed meanwhile never hears
 * of it while it loops, so it also watches itself.
 */
export function serveTasks(tasks: Record<string, Task<never, unknown, unknown>>, deadlineMs: number): void {
  const methods = Object.entries(tasks).map(([name, task]) => [name, (source: never) => answer(task, source, deadlineMs)] as const)
  // Ctrl-C and some supervisors signal a whole group; a child ends with its parent's word, once the page is read.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => undefined)
  workerpool.worker(Object.fromEntries(methods))
}

async function answer(task: Task<never, unknown, unknown>, source: never, deadlineMs: number): Promise<Answer<unknown>> {
  workerpool.workerEmit({ pid: process.pid } satisfies Started)
  try {
    const input = await task.load(source).catch(retireIfDenied)
    return { reply: withinDeadline(() => task.work(input), deadlineMs + GRACE_MS) }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') process.exit(1)
    return { fault: toFault(error) }
  }
}

/**
 * Node grants no right to a folder that is not there when the process starts, and never looks again: a child that was forked before its
 * archive was mounted reads nothing, for ever. It answers this task and leaves; the pool forks another.
 */
function retireIfDenied(error: unknown): never {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
  // Ticks come after every promise: the answer, which is written as it is sent, goes out first, and no task is taken up after it.
  if (code === 'ERR_ACCESS_DENIED') process.nextTick(() => process.exit(0))
  throw error
}

/** `vm` is the one way to interrupt running JavaScript from inside its process: its watchdog is a thread of its own. */
function withinDeadline(work: () => unknown, timeout: number): unknown {
  Object.assign(globalThis, { copydeskTask: work })
  return runInThisContext('copydeskTask()', { timeout })
}
