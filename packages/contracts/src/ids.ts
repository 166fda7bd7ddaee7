import { z } from 'zod'

/** One run of one URL, or of bytes in hand, through the pipeline: a UUIDv7, and the job's id in every queue. */
export const CaptureId = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'a captureId is a UUIDv7 in lower case')
  .brand('CaptureId')
export type CaptureId = z.infer<typeof CaptureId>

/** The article: base64url of the first 16 bytes of SHA-256 of its key; the document's `_id` in Elasticsearch. */
export const ArticleId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{22}$/, 'an articleId is 22 characters of base64url')
  .brand('ArticleId')
export type ArticleId = z.infer<typeof ArticleId>

/** The time inside a captureId, in milliseconds since 1970: when it was taken in. */
export function captureTime(captureId: CaptureId): number {
  return Number.parseInt(captureId.slice(0, 8) + captureId.slice(9, 13), 16)
}
