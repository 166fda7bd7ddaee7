import { CaptureId, type FailuresView, type FailureView, type SettledAllView, type SettledView } from '@copydesk/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { problem, ProblemError } from '../problem.ts'
import { read } from '../read.ts'
import { readCaptureId } from '../read-capture-id.ts'
import { readJson } from '../read-json.ts'

/** What is asked of, and done about, dead letters. */
export interface DeadLetters {
  list(page: { size: number; after?: CaptureId }): Promise<FailuresView>
  get(captureId: CaptureId): Promise<FailureView | null>
  retry(captureId: CaptureId): Promise<SettledView>
  dismiss(captureId: CaptureId): Promise<SettledView>
  retryAll(): Promise<SettledAllView>
  dismissAll(): Promise<SettledAllView>
}

const Page = z.strictObject({ size: z.coerce.number().int().min(1).max(1000).default(100), after: CaptureId.optional() })
const Nothing = z.strictObject({})
type ById = FastifyRequest<{ Params: { id: string } }>

/** `GET /failures`, `GET /failures/:id`, `POST /failures/retry|dismiss` for all, `POST /failures/:id/retry|dismiss` for one. */
export function addFailureRoutes(app: FastifyInstance, deadLetters: DeadLetters): void {
  app.get('/api/v1/failures', async (request) => {
    const { size, after } = read(Page, request.query)
    return await deadLetters.list({ size, ...(after && { after }) })
  })

  app.get('/api/v1/failures/:id', async (request: ById) => {
    const failure = await deadLetters.get(readCaptureId(request.params.id))
    if (!failure) throw new ProblemError(problem(404, 'unknown-failure', 'no dead letter has this captureId: see where it went with trace'))
    return failure
  })

  app.post('/api/v1/failures/retry', async (request) => {
    readJson(Nothing, request)
    return await deadLetters.retryAll()
  })
  app.post('/api/v1/failures/dismiss', async (request) => {
    readJson(Nothing, request)
    return await deadLetters.dismissAll()
  })
  app.post('/api/v1/failures/:id/retry', async (request: ById) => {
    readJson(Nothing, request)
    return await deadLetters.retry(readCaptureId(request.params.id))
  })
  app.post('/api/v1/failures/:id/dismiss', async (request: ById) => {
    readJson(Nothing, request)
    return await deadLetters.dismiss(readCaptureId(request.params.id))
  })
}
