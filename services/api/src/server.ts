import { answerHealth, type Health } from '@copydesk/runtime'
import type { Log } from '@copydesk/pipeline'
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import { isLoopbackHost } from './host-check.ts'
import { problem, ProblemError, problemOf } from './problem.ts'
import { addArticleRoutes, type ArticleQueries } from './routes/articles.ts'
import { addCaptureRoutes, type CaptureViews } from './routes/captures.ts'
import { addIngestRoutes, type IngestDeps } from './routes/ingest.ts'

export interface ApiDeps {
  ingest: IngestDeps
  views: CaptureViews
  articles: ArticleQueries
  health: Health
  log: Log
}

/** The HTTP API. Every error is problem+json; what is unexpected is logged and answered with 500. */
export function createApi(deps: ApiDeps): FastifyInstance {
  const app = fastify({ logger: false, requestTimeout: 60_000, forceCloseConnections: true })

  app.addHook('onRequest', async (request) => {
    if (!isLoopbackHost(request.headers.host))
      throw new ProblemError(problem(403, 'foreign-host', 'this API answers only to localhost or 127.0.0.1 in the Host header'))
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store')
  })
  app.setNotFoundHandler(async (request, reply) => {
    await send(reply, new ProblemError(problem(404, 'no-such-path', `there is nothing at ${request.method} ${request.url.split('?')[0]}`)))
  })
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const known = problemOf(error) ?? frameworkProblem(error)
    if (!known) deps.log.error({ path: request.routeOptions.url, reason: error.message, stack: error.stack }, 'request failed')
    await send(reply, known ?? new ProblemError(problem(500, 'internal', 'this is our fault, and stands in the log of the API')))
  })

  for (const path of ['/healthz', '/readyz', '/metrics'])
    app.get(path, async (_request, reply) => {
      const answer = await answerHealth(path, deps.health)
      if (answer) await reply.code(answer.status).type(answer.contentType).send(answer.body)
    })
  addIngestRoutes(app, deps.ingest)
  addCaptureRoutes(app, deps.views)
  addArticleRoutes(app, deps.articles)
  return app
}

async function send(reply: FastifyReply, { problem, extra, retryAfter }: ProblemError): Promise<void> {
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  await reply
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify({ ...problem, ...extra }))
}

/** What the framework itself refuses, such as a body that is too large or no JSON. */
function frameworkProblem(error: FastifyError): ProblemError | null {
  const status = error.statusCode ?? 500
  if (status >= 500) return null
  const code = (error.code ?? 'bad-request')
    .toLowerCase()
    .replace(/^fst_err_(ctp_)?/, '')
    .replaceAll('_', '-')
  return new ProblemError(problem(status, code, error.message), { cause: error })
}
