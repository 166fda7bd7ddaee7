import { CaptureId, Envelope } from '@copydesk/contracts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { end, next } from './result.ts'
import { createInlineStore, inlineStep, runInline } from './run-inline.ts'
import { defineStage, type StageContext } from './stage.ts'

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
const at = () => ({ store: createInlineStore(), log, signal: new AbortController().signal })
const first: Envelope = {
  v: 1,
  captureId: CaptureId.parse('01890000-0000-7000-8000-000000000000'),
  rev: 0,
  url: 'https://news.example/a',
  ref: null,
}

const fetch = defineStage({
  name: 'fetch',
  from: 'envelope',
  input: Envelope,
  output: z.string(),
  run: async ({ url }, { deps }: StageContext<{ suffix: string }>) =>
    url?.endsWith('gone') ? end('refused', { code: 'gone' }) : next(`${url}${deps.suffix}`),
})
const clean = defineStage({
  name: 'clean',
  from: 'record',
  input: z.string(),
  output: z.string(),
  run: async (text) => next(text.toUpperCase()),
})

test("each stage's output is the next one's input", async () => {
  const steps = [inlineStep(fetch, { suffix: '!' }), inlineStep(clean, {})]
  expect(await runInline(steps, first, at())).toEqual({ next: true, output: 'HTTPS://NEWS.EXAMPLE/A!' })
})

test('an end is the answer, and nothing runs after it', async () => {
  const steps = [inlineStep(fetch, { suffix: '' }), inlineStep(clean, {})]
  expect(await runInline(steps, { ...first, url: 'https://news.example/gone' }, at())).toEqual({
    next: false,
    outcome: 'refused',
    code: 'gone',
  })
})
