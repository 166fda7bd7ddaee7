import { type Article, SearchResponse } from '@copydesk/contracts'
import { createApiClient } from '../client/api.ts'
import { DONE } from '../exit-codes.ts'
import { CannotRun } from '../local/cannot-run.ts'

/** Searches the articles. Resolves to the exit code; no article found is no failure. */
export async function search(words: string[], options: { size: number; from: number; json?: boolean }): Promise<number> {
  const option = words.find((word) => word.startsWith('--'))
  if (option !== undefined) throw new CannotRun(`search has no option ${option}: see ./copydesk search --help`)
  const answer = await createApiClient().get(SearchResponse, '/search', { q: words.join(' '), size: options.size, from: options.from })
  if (options.json) console.log(JSON.stringify(answer))
  else printArticles(answer)
  return DONE
}

/** Prints a search's answer for people. */
export function printArticles({ total, articles }: SearchResponse): void {
  console.log(`${total} ${total === 1 ? 'article' : 'articles'}`)
  for (const article of articles) console.log(`\n${article.title}\n  ${facts(article)}\n  ${start(article.text)}`)
}

function facts({ published, authors, publisher, language, url, canonicalUrl }: Article): string {
  return [published?.date, authors.join(', '), publisher, language, url ?? canonicalUrl].filter(Boolean).join(' · ')
}

function start(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ')
  return flat.length <= 160 ? flat : `${flat.slice(0, 159)}…`
}
