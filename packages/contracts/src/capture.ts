import { z } from 'zod'
import { Hints } from './hints.ts'

/** What was fetched, or handed in, beside the bytes: the content of the `metadata` record after them. */
export const Capture = z.object({
  /** How the bytes came: fetched from an address, or handed in. */
  source: z.enum(['url', 'bytes']),
  /** The address asked for; null for bytes without one. */
  requestedUrl: z.string().nullable(),
  /** The address that answered, after redirects; null for bytes without one. */
  url: z.string().nullable(),
  /** Each hop that redirected, in order. */
  chain: z.array(z.object({ url: z.string(), status: z.int() })),
  /** When the answer came; of bytes in hand, when they were taken in. ISO 8601, UTC. */
  fetchedAt: z.iso.datetime(),
  status: z.int().nullable(),
  contentType: z.string().nullable(),
  /** The content-encodings in the order they were applied, lower case; the bytes are kept encoded, as they came. */
  contentEncoding: z.array(z.string()),
  /** Robots directives of the answer's header (`x-robots-tag`), as given. */
  robotsTag: z.string().nullable(),
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  /** The body ended before it was whole, and what came was worth keeping. */
  cut: z.boolean(),
  /** Bytes on the wire. */
  bytes: z.int().min(0),
  hints: Hints.optional(),
})
export type Capture = z.infer<typeof Capture>

/** What fetch hands over: the capture, the answer's head, and the wire bytes. Bytes in hand have no head. */
export const FetchedPage = z.object({
  capture: Capture,
  head: z.object({ status: z.int(), statusText: z.string(), headers: z.array(z.tuple([z.string(), z.string()])) }).nullable(),
  body: z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'the body is bytes'),
})
export type FetchedPage = z.infer<typeof FetchedPage>
