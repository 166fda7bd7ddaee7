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
  return problem(
    400,
    'bad-field',
    `${pointer === '' ? 'the body' : pointer} ${issue ? inWords(issue) : 'is not what it should be'}`,
    pointer,
  )
}

/** What is wrong with a value, as one would say it. */
function inWords(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type')
    return issue.message.endsWith('received undefined')
      ? `is missing: it should be ${withArticle(issue.expected)}`
      : `should be ${withArticle(issue.expected)}`
  if (issue.code === 'too_big') return `is too large: at most ${String(issue.maximum)}${UNITS[issue.origin] ?? ''}`
  if (issue.code === 'too_small') return `is too small: at least ${String(issue.minimum)}${UNITS[issue.origin] ?? ''}`
  if (issue.code === 'unrecognized_keys') return 'is not a field that is taken here'
  return `is not what it should be: ${issue.message}`
}

function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`
}

const UNITS: Record<string, string> = { string: ' characters', array: ' items' }
