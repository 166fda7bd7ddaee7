import type { TaskView } from '@copydesk/contracts'
import { expect, test } from 'vitest'
import type { Api } from './client/api.ts'
import { CannotRun } from './local/cannot-run.ts'
import { followTask } from './follow-task.ts'

const asked: TaskView = { task: 'audit', id: 'one', apply: false, state: 'asked', askedAt: '2026-11-24T10:00:00.000Z' }

/** An API whose task stands as told at each look; an Error is thrown. */
function apiThat(...looks: (Partial<TaskView> | Error)[]): Api {
  const order = async () => asked
  const get = async () => {
    const look = looks.shift() ?? {}
    if (look instanceof Error) throw look
    return { ...asked, ...look }
  }
  return { base: '', order, get } as unknown as Api
}

test('a task is followed to its result, over an API that is away for a moment', async () => {
  const api = apiThat({ state: 'running' }, new CannotRun('no Copydesk answers'), { state: 'done', result: { missing: 3 } })
  expect((await followTask(api, 'audit', false)).result).toEqual({ missing: 3 })
})

test('a task that fails says why', async () => {
  await expect(followTask(apiThat({ state: 'failed', reason: 'the disk is full' }), 'audit', false)).rejects.toThrow(
    new CannotRun('audit failed: the disk is full'),
  )
})

test('who finds another task in its place is told to ask again', async () => {
  await expect(followTask(apiThat({ id: 'two', state: 'running' }), 'audit', false)).rejects.toThrow('run the command again')
})
