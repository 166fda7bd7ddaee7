import { setTimeout as sleep } from 'node:timers/promises'
import { type TaskName, TaskView } from '@copydesk/contracts'
import type { Api } from './client/api.ts'
import { Refused } from './client/api.ts'
import { CannotRun } from './local/cannot-run.ts'
import { createProgressLine } from './progress-line.ts'

const POLL_MS = 300
/** A scheduler that runs has taken a task up by then, in milliseconds. */
const TAKEN_UP_MS = 10_000
/** How long the API may be away while a task is followed. */
const PATIENCE_MS = 60_000

/** Asks for a task and follows it to its end, with progress. Throws CannotRun with the reason where it fails. */
export async function followTask(api: Api, task: TaskName, apply: boolean): Promise<TaskView> {
  const line = createProgressLine()
  const asked = await api.order(TaskView, `/tasks/${task}`, { apply })
  const since = Date.now()
  let answeredAt = since
  for (let view = asked; ; view = await look(view)) {
    if (view.id !== asked.id) throw new CannotRun(`another ${task} was asked for meanwhile: run the command again to follow it`)
    if (view.state === 'done' || view.state === 'failed') line.clear()
    if (view.state === 'done') return view
    if (view.state === 'failed') throw new CannotRun(`${task} failed: ${view.reason ?? 'the log of the scheduler says why'}`)
    if (view.state === 'asked' && Date.now() - since > TAKEN_UP_MS) line.show(`${task}: not taken up yet: is the scheduler running?`)
    else line.show(`${task}: ${view.progress ?? view.state}`)
    await sleep(POLL_MS)
  }

  async function look(last: TaskView): Promise<TaskView> {
    try {
      const view = await api.get(TaskView, `/tasks/${task}`)
      answeredAt = Date.now()
      return view
    } catch (error) {
      // Redis or the API may be starting again.
      if (!(error instanceof Refused || error instanceof CannotRun) || Date.now() - answeredAt > PATIENCE_MS) throw error
      return last
    }
  }
}

/** A task's numbers, without its words. */
export function numbersOf(result: NonNullable<TaskView['result']>): Record<string, number> {
  return Object.fromEntries(Object.entries(result).filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
}

/** Prints a task's result, a line for each thing found. */
export function printResult(result: NonNullable<TaskView['result']>): void {
  const width = Math.max(...Object.keys(result).map((name) => name.length))
  for (const [name, value] of Object.entries(result))
    console.log(`${name.padEnd(width)}  ${typeof value === 'number' ? value : listed(value)}`)
}

function listed(counts: Record<string, number>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0)
  return some.length === 0 ? '0' : some.map(([name, count]) => `${name} ${count}`).join(', ')
}
