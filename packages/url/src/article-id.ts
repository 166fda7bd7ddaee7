import { createHash } from 'node:crypto'
import type { ArticleId } from '@copydesk/contracts'

/** The article's id for its key: base64url of the first 16 bytes of SHA-256, 22 characters. */
export function articleId(key: string): ArticleId {
  return createHash('sha256').update(key, 'utf8').digest().subarray(0, 16).toString('base64url') as ArticleId
}
