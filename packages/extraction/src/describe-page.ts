import { blockText, type Article, type ArticleRecord, type CaptureId, type CleanedPage, type Extent } from '@copydesk/contracts'
import { articleId, articleKey } from '@copydesk/url'
import { countWords } from './count-words.ts'
import { findAuthors } from './metadata/authors.ts'
import { findCanonicalUrl } from './metadata/canonical-url.ts'
import { contentHash } from './metadata/content-hash.ts'
import { findDates } from './metadata/dates.ts'
import { readFacts, type Facts } from './metadata/facts.ts'
import { findImage } from './metadata/image.ts'
import { findLanguage } from './metadata/language.ts'
import { findPublication } from './metadata/publication.ts'
import { findTitle } from './metadata/title.ts'
import { wellFormed } from './well-formed.ts'

/**
 * Works out who wrote a cleaned page, when, and where it belongs: the finished article. Each field's rules stand in one ordered list, in the
 * file under metadata/ that bears its name; the winner's name is kept in `fields`.
 */
export function describePage(page: CleanedPage, captureId: CaptureId): ArticleRecord {
  const facts = readFacts(page)
  const text = page.blocks
    .map(blockText)
    .filter((part) => part !== null)
    .join('\n\n')
  const found = {
    title: findTitle(facts),
    authors: findAuthors(facts),
    ...findDates(facts),
    language: findLanguage(facts, text),
    ...findPublication(facts),
    image: findImage(facts),
    canonicalUrl: findCanonicalUrl(facts),
  }
  const described = {
    title: found.title.value,
    text,
    authors: found.authors?.value ?? [],
    published: found.published?.value ?? null,
    modified: found.modified?.value ?? null,
    language: found.language?.value ?? null,
    description: found.description?.value ?? null,
    section: found.section?.value ?? null,
    tags: found.tags?.value ?? [],
    canonicalUrl: found.canonicalUrl.value,
  }
  const article = wellFormed({
    articleId: idOf(described.canonicalUrl),
    captureId,
    url: page.capture.url,
    urls: [...new Set([page.capture.requestedUrl, page.capture.url].filter((url) => url !== null))],
    ...described,
    blocks: page.blocks,
    html: null,
    publisher: found.publisher?.value ?? null,
    image: found.image?.value ?? null,
    links: [],
    wordCount: countWords(text),
    extent: extentOf(facts),
    fields: Object.fromEntries(Object.entries(found).flatMap(([field, winner]) => (winner === null ? [] : [[field, winner.rule]]))),
  })
  return { article: { ...article, contentHash: contentHash(article) }, fetchedAt: page.capture.fetchedAt }
}

/** Bytes without an address are filed under their own name. */
function idOf(canonicalUrl: string): Article['articleId'] {
  return articleId(canonicalUrl.startsWith('urn:') ? canonicalUrl : articleKey(canonicalUrl))
}

function extentOf({ page, article }: Facts): Extent {
  if (page.cut) return 'cut'
  return /^false$/i.test(String(article['isAccessibleForFree'])) ? 'teaser' : 'whole'
}
