import { z } from 'zod'
import { CaptureId } from './ids.ts'
import { Hints } from './hints.ts'
import { Reference } from './reference.ts'

/** A job's data: references and small facts, never a page. It belongs to the runner; a stage sees what its input schema names. */
export const Envelope = z.object({
  v: z.literal(1),
  captureId: CaptureId,
  /** 0 for the first way through; a replay counts up. */
  rev: z.int().min(0),
  /** The address asked for; null for bytes in hand without one. */
  url: z.string().nullable(),
  /** The stage's input record; null where the stage starts from the URL. */
  ref: Reference.nullable(),
  hints: Hints.optional(),
  /** What a rate-limited stage goes on from: its own to read. */
  resume: z.unknown().optional(),
})
export type Envelope = z.infer<typeof Envelope>

/** What can be told of an envelope of whatever version. */
export const AnyEnvelope = z.object({
  v: z.unknown(),
  url: z.string().nullable().catch(null),
  ref: z.object({ segment: z.string() }).nullable().catch(null),
})

/** What fetch takes. */
export const FetchRequest = z.object({ url: z.string(), hints: Hints.optional(), resume: z.unknown().optional() })
export type FetchRequest = z.infer<typeof FetchRequest>

/** What clean and extract-metadata take: their child process reads the record itself. */
export const PageReference = z.object({ ref: Reference })
export type PageReference = z.infer<typeof PageReference>
