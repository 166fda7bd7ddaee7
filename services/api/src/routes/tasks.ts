import { TaskName, TaskRequest, type TaskView } from '@copydesk/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { problem, ProblemError } from '../problem.ts'
import { readJson } from '../read-json.ts'

/** Work over the whole archive, which the scheduler does. */
export interface Tasks {
  ask(task: TaskName, apply: boolean): Promise<TaskView>
  read(task: TaskName): Promise<TaskView | null>
}

type ByTask = FastifyRequest<{ Params: { task: string } }>

/** `POST /tasks/:task` asks for one (202), `GET /tasks/:task` says how the last one stands. */
export function addTaskRoutes(app: FastifyInstance, tasks: Tasks): void {
  app.post('/api/v1/tasks/:task', async (request: ByTask, reply) => {
    const { apply } = readJson(TaskRequest, request)
    const view = await tasks.ask(taskOf(request), apply)
    reply.code(202)
    return view
  })

  app.get('/api/v1/tasks/:task', async (request: ByTask) => {
    const view = await tasks.read(taskOf(request))
    if (!view) throw new ProblemError(problem(404, 'unknown-task', 'nobody has asked for this yet'))
    return view
  })
}

function taskOf(request: ByTask): TaskName {
  const task = TaskName.safeParse(request.params.task)
  if (task.success) return task.data
  throw new ProblemError(problem(404, 'unknown-task', `there is no such task: ${TaskName.options.join(' and ')} are there`))
}
