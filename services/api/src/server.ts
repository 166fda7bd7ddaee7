import { answerHealth, type Health } from '@copydesk/runtime'
import type { Log } from '@copydesk/pipeline'
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import { isLoopbackHost } from './host-check.ts'
import { problem, ProblemError, problemOf } from './problem.ts'
import { readRest } from './read-rest.ts'
import { addArticleRoutes, type ArticleQueries } from './routes/articles.ts'
import { addCaptureRoutes, type CaptureViews } from './routes/captures.ts'
import { addFailureRoutes, type DeadLetters } from './routes/failures.ts'
import { addIngestRoutes, type IngestDeps } from './routes/ingest.ts'
import { addTaskRoutes, type Tasks } from './routes/tasks.ts'

export interface ApiDeps {
  ingest: IngestDeps
  views: CaptureViews
  articles: ArticleQueries
  deadLetters: DeadLetters
  tasks: Tasks
  health: Health
  log: Log
}

/** Most of a JSON body, in bytes; a page's bytes have a limit of their own. */
const JSON_BYTES = 1024 * 1024

const INTERNAL = new ProblemError(problem(500, 'internal', 'this is our fault, and stands in the log of the API'))

/** The HTTP API. Every error is problem+json; what is unexpected is logged and answered with 500. */
export function createApi(deps: ApiDeps): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: JSON_BYTES,
    requestTimeout: 60_000,
    forceCloseConnections: true,
    // What fails before a route is found, such as a path that can't be decoded.
    frameworkErrors: (error, _request, reply) => void send(reply, frameworkProblem(error) ?? INTERNAL),
  })

  app.addHook('onRequest', async (request) => {
    if (!isLoopbackHost(request.headers.host))
      throw new ProblemError(problem(403, 'foreign-host', 'this API answers only to localhost, 127.0.0.1 or [::1] in the Host header'))
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store')
  })
  app.setNotFoundHandler(async (request, reply) => {
    await send(reply, new ProblemError(problem(404, 'no-such-path', `there is nothing at ${request.method} ${request.url.split('?')[0]}`)))
  })
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const known = problemOf(error) ?? frameworkProblem(error)
    if (known?.problem.status === 413) await readRest(request.raw)
    if (!known) deps.log.error({ path: request.routeOptions.url, reason: error.message, stack: error.stack }, 'request failed')
    await send(reply, known ?? INTERNAL)
  })

  for (const path of ['/healthz', '/readyz', '/metrics'])
    app.get(path, async (_request, reply) => {
      const answer = await answerHealth(path, deps.health)
      if (answer) await reply.code(answer.status).type(answer.contentType).send(answer.body)
    })
  addIngestRoutes(app, deps.ingest)
  addCaptureRoutes(app, deps.views)
  addArticleRoutes(app, deps.articles)
  addFailureRoutes(app, deps.deadLetters)
  addTaskRoutes(app, deps.tasks)
  return app
}

async function send(reply: FastifyReply, { problem, extra, retryAfter }: ProblemError): Promise<void> {
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  await reply
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify({ ...problem, ...extra }))
}

/** What the framework itself refuses: the body as a whole, in words that say what is taken instead. */
function frameworkProblem(error: FastifyError): ProblemError | null {
  const status = error.statusCode ?? 500
  if (status >= 500) return null
  const name = (error.code ?? 'bad-request').replace(/^FST_ERR_(CTP_)?/, '')
  const detail = BODY_FAULTS[name]
  const code = name.toLowerCase().replaceAll('_', '-')
  return new ProblemError(problem(status, code, detail ?? error.message, detail === undefined ? undefined : ''), { cause: error })
}

const BODY_FAULTS: Record<string, string> = {
  BODY_TOO_LARGE: 'the body is larger than what is taken: 1 MiB of JSON, 10 MiB of a page; send less at once',
  EMPTY_JSON_BODY: 'the body is empty: send {"items": [{"url": "https://…"}]}',
  INVALID_JSON_BODY: 'the body is not valid JSON, as its content-type says: send {"items": [{"url": "https://…"}]}, or a page as text/html',
  INVALID_MEDIA_TYPE: 'the content-type is none: send application/json, text/html, text/plain, or application/octet-stream',
  INVALID_CONTENT_LENGTH: 'the body is not as long as content-length says',
}
