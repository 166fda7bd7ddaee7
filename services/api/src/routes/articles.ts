import { type Article, ArticleId, type SearchResponse } from '@copydesk/contracts'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { problem, ProblemError } from '../problem.ts'
import { read } from '../read.ts'

/** What is asked of the index. */
export interface ArticleQueries {
  search(query: { q: string; size: number; from: number }): Promise<SearchResponse>
  article(articleId: ArticleId): Promise<Article | null>
}

const SearchQuery = z
  .strictObject({
    q: z.string().max(512).default(''),
    size: z.coerce.number().int().min(1).max(100).default(20),
    from: z.coerce.number().int().min(0).default(0),
  })
  .refine(({ from, size }) => from + size <= 10_000, { path: ['from'], error: 'at most 10,000 articles deep; narrow the search' })

/** `GET /search?q=&size=&from=` and `GET /articles/:id`. */
export function addArticleRoutes(app: FastifyInstance, articles: ArticleQueries): void {
  app.get('/api/v1/search', async (request) => {
    const query = read(SearchQuery, request.query)
    return await asked(async () => await articles.search(query))
  })

  app.get<{ Params: { id: string } }>('/api/v1/articles/:id', async (request) => {
    const id = ArticleId.safeParse(request.params.id)
    if (!id.success) throw new ProblemError(problem(400, 'bad-article-id', 'an articleId is 22 characters of base64url', '/id'))
    const article = await asked(async () => await articles.article(id.data))
    if (!article) throw new ProblemError(problem(404, 'unknown-article', 'no article with this id is in the index'))
    return article
  })
}

/** An index that does not answer is no fault of ours, and will pass. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ProblemError(
      problem(
        503,
        'search-unavailable',
        `Elasticsearch does not answer the search (${reason.slice(0, 200)}); work that was taken in goes on`,
      ),
      {
        retryAfter: 5,
        cause,
      },
    )
  }
}
