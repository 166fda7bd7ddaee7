import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { ArticleRecord, CaptureId, CleanedPage, type Envelope, FetchedPage, RefusalCode } from '@copydesk/contracts'
import { createFetcher, createGuard, parseAllowCidrs, userAgent } from '@copydesk/http'
import {
  bytesPage,
  createInlineStore,
  type End,
  inlineStep,
  type InlineStep,
  PermanentError,
  RateLimitedError,
  RetryableError,
  runInline,
} from '@copydesk/pipeline'
import { createParserPool, envTypes, loadEnv } from '@copydesk/runtime'
import { cleanStage } from '@copydesk/service-clean'
import { extractMetadataStage } from '@copydesk/service-extract-metadata'
import { fetchStage } from '@copydesk/service-fetch'
import { fetchUrl, hideUserinfo, UrlError } from '@copydesk/url'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { DONE, SOME_FAILED } from '../exit-codes.ts'
import { CannotRun } from '../local/cannot-run.ts'
import { expandInputs, pathFault, typeByName } from '../ingest/expand-inputs.ts'

/** What fetching one page reads of the environment. */
const TryEnv = z.object({ FETCH_ALLOW_CIDRS: envTypes.readBy(parseAllowCidrs).default([]), CRAWLER_CONTACT: z.string().optional() })

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

/** What `--json` prints: the article, or why there is none. */
type Tried = { article: ArticleRecord['article'] } | { refused: { code: string; evidence: string } }

/** Runs the stages on one page in this process, with no services, and prints the article. Resolves to the exit code. */
export async function tryPage(what: string, options: { url?: string; json?: boolean }): Promise<number> {
  const { inputs, bad } = await expandInputs([what])
  const input = inputs[0]
  if (bad[0]) throw new CannotRun(`${bad[0].name}: ${bad[0].reason}`)
  if (!input || inputs.length > 1) throw new CannotRun(`${what} is a folder: try takes one page`)
  const page = input.kind === 'url' ? null : await readPage(what, options.url)
  const tried = await run(input.kind === 'url' ? addressOf(what) : null, page)
  if (options.json) console.log(JSON.stringify(tried))
  else if ('article' in tried) printArticle(tried.article)
  else
    console.error(
      `copydesk: ${what}: ${isRefusal(tried.refused.code) ? 'refused' : 'failed'} (${tried.refused.code}): ${tried.refused.evidence}`,
    )
  return 'article' in tried ? DONE : SOME_FAILED
}

async function run(url: string | null, page: FetchedPage | null): Promise<Tried> {
  const env = loadEnv(TryEnv)
  const store = createInlineStore()
  const pool = createParserPool({ store: null, size: 1 })
  const guard = createGuard({ allowCidrs: env.FETCH_ALLOW_CIDRS })
  const fetcher = createFetcher({ guard, userAgent: userAgent(env.CRAWLER_CONTACT) })
  const captureId = CaptureId.parse(uuidv7())
  const steps: InlineStep[] = [
    ...(page ? [] : [inlineStep(fetchStage, { get: fetcher.get })]),
    inlineStep(cleanStage, {
      pages: { clean: async ({ ref }, signal) => await pool.clean({ captureId, page: FetchedPage.parse(store.load(ref)) }, signal) },
    }),
    inlineStep(extractMetadataStage, {
      pages: {
        describe: async ({ ref }, signal) => await pool.describe({ captureId, cleaned: CleanedPage.parse(store.load(ref)) }, signal),
      },
    }),
  ]
  const first: Envelope = { v: 1, captureId, rev: 0, url, ref: page ? store.keep(page) : null }
  try {
    return triedOf(await runInline(steps, first, { store, log: silent, signal: AbortSignal.timeout(60_000) }))
  } catch (error) {
    if (error instanceof RetryableError || error instanceof PermanentError || error instanceof RateLimitedError)
      return refusal(error.code, error.message)
    throw error
  } finally {
    await Promise.all([pool.close(), fetcher.close()])
  }
}

function triedOf(result: End | { next: true; output: unknown }): Tried {
  if (result.next) return { article: ArticleRecord.parse(result.output).article }
  return refusal(result.code ?? result.outcome, result.evidence ?? '')
}

/** A refusal is a decision about the page; any other code is a fault on the way to it. */
function isRefusal(code: string): boolean {
  return RefusalCode.safeParse(code).success
}

function refusal(code: string, evidence: string): Tried {
  return { refused: { code, evidence } }
}

async function readPage(name: string, url: string | undefined): Promise<FetchedPage> {
  const body =
    name === '-'
      ? await buffer(process.stdin)
      : await readFile(name).catch((error: unknown) => {
          throw new CannotRun(`${name}: ${pathFault(name, error)}`, { cause: error })
        })
  const address = url === undefined ? null : addressOf(url)
  const contentType = typeByName(name)
  return bytesPage({ body, url: address, contentType, at: new Date() })
}

function addressOf(text: string): string {
  try {
    return fetchUrl(text)
  } catch (error) {
    if (error instanceof UrlError) throw new CannotRun(`${hideUserinfo(text)}: ${error.message}`, { cause: error })
    throw error
  }
}

function printArticle({ title, authors, published, language, canonicalUrl, wordCount, fields, text }: ArticleRecord['article']): void {
  console.log(title)
  const facts = {
    authors: authors.join(', '),
    published: published && `${published.at} (${published.source}, to the ${published.precision})`,
    language,
    address: canonicalUrl,
    words: wordCount,
  }
  for (const [name, value] of Object.entries(facts))
    if (value) console.log(`  ${name.padEnd(9)} ${value}${fields[name] ? `  [${fields[name]}]` : ''}`)
  console.log(`\n${text}`)
}
