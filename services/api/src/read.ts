import type { z } from 'zod'
import { problem, ProblemError } from './problem.ts'

/** Reads something from outside by its schema. Throws a 400 that points (RFC 6901) at the first field at fault. */
export function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new ProblemError(fieldProblem(parsed.error, ''))
}

/** The problem of a value that is not what its schema says. `at` is the pointer to the value itself. */
export function fieldProblem(error: z.ZodError, at: string) {
  const issue = error.issues[0]
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const pointer =
    at + [...(issue?.path ?? []), ...unknown].map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  return problem(400, 'bad-field', `${pointer === '' ? 'the body' : pointer}: ${issue?.message ?? 'is not what it should be'}`, pointer)
}
