import { type CaptureId, type CaptureView, MAX_URL_LENGTH, type StatusView, type UrlView } from '@copydesk/contracts'
import { fetchUrl, UrlError } from '@copydesk/url'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { problem, ProblemError } from '../problem.ts'
import { read } from '../read.ts'
import { readCaptureId } from '../read-capture-id.ts'

/** What is asked of Redis. */
export interface CaptureViews {
  capture(captureId: CaptureId): Promise<CaptureView | null>
  url(url: string): Promise<UrlView>
  status(): Promise<StatusView>
}

const UrlQuery = z.object({ url: z.string().min(1).max(MAX_URL_LENGTH) })

/** `GET /captures/:id`: one capture and its trail; `GET /urls?url=`: what is known of an address; `GET /status`. */
export function addCaptureRoutes(app: FastifyInstance, views: CaptureViews): void {
  app.get<{ Params: { id: string } }>('/api/v1/captures/:id', async (request) => {
    const capture = await views.capture(readCaptureId(request.params.id))
    if (!capture)
      throw new ProblemError(
        problem(404, 'unknown-capture', 'no trail of this capture is kept: it was never accepted here, or ended long ago'),
      )
    return capture
  })

  app.get('/api/v1/urls', async (request) => {
    const { url } = read(UrlQuery, request.query)
    try {
      return await views.url(fetchUrl(url))
    } catch (error) {
      if (error instanceof UrlError) throw new ProblemError(problem(400, error.code, error.message, '/url'))
      throw error
    }
  })

  app.get('/api/v1/status', async () => await views.status())
}
