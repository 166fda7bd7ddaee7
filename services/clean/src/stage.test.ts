import type { CaptureId, Reference } from '@copydesk/contracts'
import { type Log, RetryableError, type StageContext } from '@copydesk/pipeline'
import { expect, test } from 'vitest'
import { type CleanDeps, cleanStage } from './stage.ts'

const captureId = '0190b5a0-0000-7000-8000-000000000000' as CaptureId
const ref: Reference = { store: 'file', segment: 'raw-0190b5a0-0000-7000-8000-000000000000.warc.gz', offset: 0, length: 10 }
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

function context(clean: CleanDeps['pages']['clean']): StageContext<CleanDeps> {
  return { deps: { pages: { clean } }, log: silent, signal: new AbortController().signal, captureId, rev: 0, run: 1, attempt: 1, wakes: 0 }
}

test('a cleaned page is handed over, and the pool is given the reference, the capture and the signal', async () => {
  const page = { title: 'Ferry runs again' }
  const asked: unknown[] = []
  const given = context(async (...parameters) => {
    asked.push(parameters)
    return { page } as never
  })
  expect(await cleanStage.run({ ref }, given)).toEqual({ next: true, output: page })
  expect(asked).toEqual([[{ captureId, ref }, given.signal]])
})

test('a page without an article ends as refused, with code and evidence', async () => {
  const reply = { refused: { code: 'not-article' as const, evidence: '7 words of running text' } }
  expect(
    await cleanStage.run(
      { ref },
      context(async () => reply),
    ),
  ).toEqual({ next: false, outcome: 'refused', ...reply.refused })
})

test('a parser that dies is the runner’s affair', async () => {
  const died = new RetryableError('parser-died', 'the parser died on this page')
  await expect(
    cleanStage.run(
      { ref },
      context(() => Promise.reject(died)),
    ),
  ).rejects.toBe(died)
})
