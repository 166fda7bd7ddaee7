import { setTimeout as sleep } from 'node:timers/promises'
import { type TaskName, TaskView } from '@copydesk/contracts'
import type { Rig } from './system.ts'

/** Asks the API, past its proxy. Throws where it answers anything but success. */
export async function ask(rig: Rig, method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${rig.system.api}/api/v1${path}`, {
    method,
    signal: AbortSignal.timeout(15_000),
    ...(method === 'POST' && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`)
  return JSON.parse(text)
}

/** Asks for work over the whole archive, and waits until it is done. Throws where it fails, or takes more than a minute. */
export async function doTask(rig: Rig, task: TaskName, apply: boolean): Promise<NonNullable<TaskView['result']>> {
  const deadline = Date.now() + 120_000
  const { id } = await asked(rig, task, apply, deadline)
  for (;;) {
    const view = TaskView.parse(await ask(rig, 'GET', `/tasks/${task}`))
    if (view.id === id && view.state === 'done') return view.result ?? {}
    if (view.id === id && view.state === 'failed') throw new Error(`${task} failed: ${view.reason}`)
    if (Date.now() > deadline) throw new Error(`${task} does not end: ${JSON.stringify(view)}`)
    await sleep(200)
  }
}

/** A Redis that has just come back is not at once connected again: until then the API says so. */
async function asked(rig: Rig, task: TaskName, apply: boolean, deadline: number): Promise<TaskView> {
  for (;;) {
    try {
      return TaskView.parse(await ask(rig, 'POST', `/tasks/${task}`, { apply }))
    } catch (error) {
      if (Date.now() > deadline || !/ answered 50/.test(String(error))) throw error
    }
    await sleep(200)
  }
}

/** A number of a task's result. */
export function numberOf(result: NonNullable<TaskView['result']>, name: string): number {
  return Number(result[name] ?? Number.NaN)
}
