// oxlint-disable-next-line no-restricted-imports -- the fixtures are files
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { ArticleRecord, Capture, type CaptureId, CleanedPage } from '@copydesk/contracts'
import { expect, test } from 'vitest'
import { cleanPage } from './clean-page.ts'
import { describePage } from './describe-page.ts'

/** Each folder: `source.html` or `source.txt` (bytes as they came), `given.json` (what fetch or the operator knew; may be missing), and
 * `expected.json` (what must come out; `vitest run --project unit -u` writes it anew, to be read as a diff). */
const folder = new URL('../fixtures/', import.meta.url)
const captureId = '0190b0a0-0000-7000-8000-000000000000' as CaptureId

const cases = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())

test.each(cases.map((entry) => entry.name))('fixture %s gives what is expected', async (name) => {
  const at = (file: string): URL => new URL(`${name}/${file}`, folder)
  const body = readFileSync(existsSync(at('source.html')) ? at('source.html') : at('source.txt'))
  const given = existsSync(at('given.json')) ? (JSON.parse(readFileSync(at('given.json'), 'utf8')) as Partial<Capture>) : {}
  const outcome = readPage(body, given)
  await expect(`${JSON.stringify(outcome, null, 2)}\n`).toMatchFileSnapshot(at('expected.json').pathname)
})

function readPage(body: Uint8Array, given: Partial<Capture>): unknown {
  const url = given.url ?? null
  const capture = Capture.parse({
    source: url === null ? 'bytes' : 'url',
    requestedUrl: url,
    url,
    chain: [],
    fetchedAt: '2026-03-20T12:00:00.000Z',
    status: null,
    contentType: null,
    contentEncoding: [],
    robotsTag: null,
    etag: null,
    lastModified: null,
    cut: false,
    bytes: body.length,
    ...given,
  })
  const reply = cleanPage({ capture, body })
  if ('refused' in reply) return reply
  const { article } = ArticleRecord.parse(describePage(CleanedPage.parse(reply.page), captureId))
  const { captureId: _, contentHash: __, text: ___, html: ____, links: _____, ...kept } = article
  return { encoding: reply.page.encoding, ...kept }
}
