import { expect, test } from 'vitest'
import { z } from 'zod'
import { ProblemError } from './problem.ts'
import { read } from './read.ts'

const schema = z.strictObject({
  name: z.string().max(3),
  size: z.coerce.number().min(1).optional(),
  list: z.array(z.number()).max(1).optional(),
})

test.each([
  ['a missing field', {}, '/name', '/name is missing: it should be a string'],
  ['a field of another kind', { name: 1 }, '/name', '/name should be a string'],
  ['a text that is too long', { name: 'long' }, '/name', '/name is too large: at most 3 characters'],
  ['a number that is too small', { name: 'a', size: '0' }, '/size', '/size is too small: at least 1'],
  ['a list that is too long', { name: 'a', list: [1, 2] }, '/list', '/list is too large: at most 1 items'],
  ['an unknown field', { name: 'a', 'a/b': 1 }, '/a~1b', '/a~1b is not a field that is taken here'],
  ['something else altogether', 'text', '', 'the body should be an object'],
])('%s is pointed at and said in words', (_name, value, pointer, detail) => {
  expect(refusal(value).problem).toMatchObject({ status: 400, pointer, detail })
})

function refusal(value: unknown): ProblemError {
  try {
    read(schema, value)
  } catch (error) {
    if (error instanceof ProblemError) return error
  }
  throw new Error('it was taken')
}
