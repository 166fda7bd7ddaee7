import { createHash } from 'node:crypto'
import type { Article } from '@copydesk/contracts'

type Hashed = Pick<
  Article,
  'title' | 'text' | 'authors' | 'published' | 'modified' | 'language' | 'description' | 'section' | 'tags' | 'canonicalUrl'
>

/** SHA-256 (hex) over what a correction would change, in this order; a change of the list makes every stored article look corrected. */
export function contentHash(article: Hashed): string {
  const { title, text, authors, published, modified, language, description, section, tags, canonicalUrl } = article
  const content = [title, text, authors, published?.at ?? null, modified?.at ?? null, language, description, section, tags, canonicalUrl]
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}
