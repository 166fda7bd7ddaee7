import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { problem, ProblemError } from './problem.ts'
import { read } from './read.ts'

/**
 * Reads a body that orders something. It must be declared as JSON: a page in a browser can send a form or plain text to any address
 * without being asked, and JSON only with the server's leave, which nobody gets.
 */
export function readJson<T>(schema: z.ZodType<T>, request: FastifyRequest): T {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    throw new ProblemError(problem(415, 'unsupported-type', 'send JSON as application/json, {} where there is nothing to say', ''))
  return read(schema, request.body)
}
