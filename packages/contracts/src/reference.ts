import { z } from 'zod'

/** Where a record lies in the archive. Given out only after its bytes are synced. `raw` references cover the response (or resource) and the metadata record after it. */
export const Reference = z.object({
  store: z.literal('file'),
  /** The segment's file name without `.open`, e.g. `raw-0190….warc.gz`. No path. */
  segment: z.string().regex(/^(intake|raw|clean|article|ends)-[0-9a-f-]{36}\.warc\.gz$/),
  offset: z.int().min(0),
  length: z.int().min(1),
})
export type Reference = z.infer<typeof Reference>
