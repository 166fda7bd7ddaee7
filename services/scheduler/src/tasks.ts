import type { TaskName, TaskView } from '@copydesk/contracts'
import { everySoOften, type Log } from '@copydesk/pipeline'

/** Where tasks are asked for; the queue adapter implements it in Redis. */
export interface TaskStore {
  take(task: TaskName): Promise<TaskView | null>
  progress(task: TaskName, id: string, text: string): Promise<boolean>
  finish(task: TaskName, id: string, outcome: { result: NonNullable<TaskView['result']> } | { reason: string }): Promise<boolean>
}

/** Does a task; answers its numbers. What it throws is the reason why it failed. */
export type TaskWork = (apply: boolean, onProgress: (text: string) => void) => Promise<NonNullable<TaskView['result']>>

/** A keeper's look at the tasks: the next that was asked for is begun, and goes on beside the keeper's other duties. One at a time. */
export function createTaskRunner(store: TaskStore, works: Record<TaskName, TaskWork>, log: Log) {
  let running: Promise<void> | null = null

  async function run({ task, id, apply }: TaskView): Promise<void> {
    const started = Date.now()
    let told = Promise.resolve()
    const onProgress = (text: string) => {
      told = told.then(async () => void (await store.progress(task, id, text))).catch(() => undefined)
    }
    log.info({ task, apply }, 'task begun')
    try {
      const result = await works[task](apply, everySoOften(250, onProgress))
      await told
      await store.finish(task, id, { result })
      log.info({ task, apply, ...result, ms: Date.now() - started }, 'task done')
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      log.error({ task, apply, reason, stack: error instanceof Error ? error.stack : undefined }, 'task failed')
      await told
      await store.finish(task, id, { reason: reason.slice(0, 1024) }).catch(() => undefined)
    }
  }

  return {
    /** Begins what was asked for, if nothing is under way here. Answers what was begun, for the log. */
    async look(): Promise<object | null> {
      if (running) return null
      for (const task of Object.keys(works) as TaskName[]) {
        const taken = await store.take(task)
        if (!taken) continue
        running = run(taken).finally(() => (running = null))
        return { task }
      }
      return null
    },
    /** Whether a task is under way here. */
    busy: (): boolean => running !== null,
  }
}
