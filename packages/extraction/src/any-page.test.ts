// oxlint-disable-next-line no-restricted-imports -- the fixtures are files
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { ArticleRecord, type Capture, type CaptureId, CleanedPage, RefusalCode } from '@copydesk/contracts'
import { array, assert, constantFrom, nat, property, record, uint8Array } from 'fast-check'
import { test } from 'vitest'
import { cleanPage } from './clean-page.ts'
import { describePage } from './describe-page.ts'

const captureId = '0190b0a0-0000-7000-8000-000000000000' as CaptureId
const folder = new URL('../fixtures/', import.meta.url)
const sources = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ['html', 'txt'].map((kind) => new URL(`${name}/source.${kind}`, folder)).find((file) => existsSync(file)))
  .filter((file) => file !== undefined)
  .map((file) => readFileSync(file))

/** Reads bytes as every kind of page, and checks what comes out against the schemas. */
function readAnyway(body: Uint8Array, given: Partial<Capture>): void {
  const none = { requestedUrl: null, url: null, status: null, contentType: null, robotsTag: null, etag: null, lastModified: null }
  const capture = {
    source: 'bytes' as const,
    chain: [],
    fetchedAt: '2026-03-20T12:00:00.000Z',
    contentEncoding: [],
    cut: false,
    bytes: body.length,
    ...none,
    ...given,
  }
  const reply = cleanPage({ capture, body })
  if ('refused' in reply) RefusalCode.parse(reply.refused.code)
  else ArticleRecord.parse(describePage(CleanedPage.parse(reply.page), captureId))
}

const given = record({
  url: constantFrom(null, 'https://courier.example/2026/03/16/a', 'http://127.0.0.1:8080/?a=b'),
  contentType: constantFrom(null, 'text/html', 'text/plain; charset=utf-16le', 'text/html; charset=gbk', 'nonsense'),
  contentEncoding: constantFrom<string[]>([], ['gzip'], ['br'], ['deflate', 'zstd']),
})

// The schemas are what is asserted: each throws where it is not met.
/* oxlint-disable vitest/expect-expect */
test('whatever bytes come, the answer is an article by its schema or a refusal', () => {
  assert(property(uint8Array({ maxLength: 2000 }), given, readAnyway), { numRuns: 300 })
})

test('so it is for real pages with parts cut out, doubled and swapped', () => {
  const mutated = record({ source: constantFrom(...sources), cuts: array(nat(), { minLength: 1, maxLength: 12 }) }).map(
    ({ source, cuts }) => {
      const at = cuts.map((cut) => cut % source.length)
      return Buffer.concat(at.map((start, index) => source.subarray(start, start + ((at[index + 1] ?? 997) % 1500))))
    },
  )
  assert(
    property(mutated, given, (body, facts) => readAnyway(body, { ...facts, contentEncoding: [] })),
    { numRuns: 300 },
  )
})

test('so it is for plain text of any shape', () => {
  const line = constantFrom(
    '',
    '  ',
    'print PRINT',
    'A headline of more words',
    'By Ada Quill',
    '16 March 2026',
    '• Town',
    '- no',
    '1. one',
    'The river rose in the night, and the town was under water by the morning.',
    '© 2026',
    '\u3042'.repeat(60),
  )
  assert(
    property(array(line, { maxLength: 40 }), (lines) => readAnyway(Buffer.from(lines.join('\n')), {})),
    { numRuns: 500 },
  )
})
