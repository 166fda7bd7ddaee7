import type { CaptureId, Reference } from '@copydesk/contracts'
import { type Log, PermanentError, type StageContext } from '@copydesk/pipeline'
import { expect, test } from 'vitest'
import { extractMetadataStage, type ExtractMetadataDeps } from './stage.ts'

const captureId = '0190b5a0-0000-7000-8000-000000000000' as CaptureId
const ref: Reference = { store: 'file', segment: 'clean-0190b5a0-0000-7000-8000-000000000000.warc.gz', offset: 0, length: 10 }
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

function context(describe: ExtractMetadataDeps['pages']['describe']): StageContext<ExtractMetadataDeps> {
  return {
    deps: { pages: { describe } },
    log: silent,
    signal: new AbortController().signal,
    captureId,
    rev: 0,
    run: 1,
    attempt: 1,
    wakes: 0,
  }
}

test('the article is handed over, and the pool is given the reference, the capture and the signal', async () => {
  const record = { article: { title: 'Ferry runs again' }, fetchedAt: '2026-03-20T12:00:00.000Z' }
  const asked: unknown[] = []
  const given = context(async (...parameters) => {
    asked.push(parameters)
    return record as never
  })
  expect(await extractMetadataStage.run({ ref }, given)).toEqual({ next: true, output: record })
  expect(asked).toEqual([[{ captureId, ref }, given.signal]])
})

test('a lost record is the runner’s affair', async () => {
  const lost = new PermanentError('record-lost', 'the record is lost')
  await expect(
    extractMetadataStage.run(
      { ref },
      context(() => Promise.reject(lost)),
    ),
  ).rejects.toBe(lost)
})
