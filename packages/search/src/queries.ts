import { Article, type ArticleId, type SearchResponse } from '@copydesk/contracts'
import { PermanentError } from '@copydesk/pipeline'
import type { Client, estypes } from '@elastic/elasticsearch'
import { queryFailed } from './faults.ts'
import { createNames, type SearchNames } from './names.ts'

/** Longest query, in characters; more is cut off. */
export const MAX_QUERY_LENGTH = 512
/** Most articles in one answer. */
export const MAX_PAGE_SIZE = 100
/** How far in pages go, Elasticsearch's own limit: beyond it an answer has its total and no articles. */
const MAX_WINDOW = 10_000

export interface SearchRequest {
  /** Words, "phrases", -without, a | b, prefix*: never an error. Empty: all articles, newest first. */
  q: string
  size?: number
  from?: number
}

/** Searches live articles, the best first and the newest of equals. Throws RetryableError `search-unavailable`; an answer from only some shards is one. */
export async function search(
  client: Client,
  { q, size = 10, from = 0 }: SearchRequest,
  names: SearchNames = createNames(),
): Promise<SearchResponse> {
  const best: estypes.SortCombinations[] = q.trim() === '' ? [] : ['_score']
  const isInside = from + Math.min(size, MAX_PAGE_SIZE) <= MAX_WINDOW
  return ask(client, {
    index: names.live,
    query: toQuery(q),
    sort: [...best, { effectiveAt: 'desc' }, { articleId: 'asc' }],
    size: isInside ? Math.min(size, MAX_PAGE_SIZE) : 0,
    from: isInside ? from : 0,
    track_total_hits: true,
  })
}

/** One article, or null where there is none or it is retracted: a search and no get, which would see retracted ones too. An article is found a few seconds after it was written. */
export async function getArticle(client: Client, articleId: ArticleId, names: SearchNames = createNames()): Promise<Article | null> {
  const { articles } = await ask(client, { index: names.live, query: { ids: { values: [articleId] } }, size: 1 })
  return articles[0] ?? null
}

/** Makes everything that was written visible to searches now, not within the refresh interval of 5 s. */
export async function refreshSearch(client: Client, names: SearchNames = createNames()): Promise<void> {
  try {
    await client.indices.refresh({ index: names.all })
  } catch (error) {
    throw queryFailed(error)
  }
}

function toQuery(q: string): NonNullable<estypes.SearchRequest['query']> {
  if (q.trim() === '') return { match_all: {} }
  return {
    simple_query_string: {
      query: q.slice(0, MAX_QUERY_LENGTH),
      fields: ['title^3', 'description', 'text'],
      default_operator: 'and',
      // Without FUZZY, NEAR and SLOP: a tilde would make one query as dear as hundreds.
      flags: 'AND|OR|NOT|PHRASE|PREFIX|PRECEDENCE|ESCAPE|WHITESPACE',
      lenient: true,
    },
  }
}

async function ask(client: Client, request: estypes.SearchRequest): Promise<SearchResponse> {
  const answer = await send(client, request)
  if (answer.timed_out || answer._shards.failed > 0) throw queryFailed(new Error('some shards did not answer in time'))
  const total = answer.hits.total
  return {
    total: typeof total === 'number' ? total : (total?.value ?? 0),
    articles: answer.hits.hits.map((hit) => toArticle(hit)),
  }
}

async function send(client: Client, request: estypes.SearchRequest): Promise<estypes.SearchResponse> {
  try {
    return await client.search({ ...request, timeout: '10s', allow_partial_search_results: false }, { maxRetries: 1 })
  } catch (error) {
    throw queryFailed(error)
  }
}

function toArticle({ _id, _source }: estypes.SearchHit): Article {
  const article = Article.safeParse(_source)
  if (article.success) return article.data
  const at = article.error.issues[0]?.path.join('.') ?? ''
  throw new PermanentError('schema', `the document ${_id} in Elasticsearch is no article (at ${at}): index it again from the archive`)
}
