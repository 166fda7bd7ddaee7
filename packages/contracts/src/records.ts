import { z } from 'zod'
import { Code } from './codes.ts'
import { Hints } from './hints.ts'
import { ArticleId, CaptureId } from './ids.ts'
import { Outcome } from './outcomes.ts'
import { Reference } from './reference.ts'
import { StageName } from './stages.ts'

/** What every record about one capture carries. Of several of one kind the highest `rev`, then `run`, counts. */
export const RecordStamp = z.object({ v: z.literal(1), captureId: CaptureId, rev: z.int().min(0), run: z.int().min(0) })
export type RecordStamp = z.infer<typeof RecordStamp>

/** Whether a record counts before another of its kind and capture: the highest `rev`, then `run`. */
export function supersedes(record: Pick<RecordStamp, 'rev' | 'run'>, other: Pick<RecordStamp, 'rev' | 'run'>): boolean {
  return record.rev === other.rev ? record.run > other.run : record.rev > other.rev
}

/** One accepted item, as the intake record keeps it. */
export const IntakeItem = z.object({
  captureId: CaptureId,
  url: z.string().nullable(),
  hints: Hints.optional(),
  /** Bytes in hand: their `resource` record. Null: fetch the URL. */
  ref: Reference.nullable(),
  /** What holds back a second run of the same work while the first one waits: a digest of the articleKey, or of URL and bytes. */
  key: z.string(),
})
export type IntakeItem = z.infer<typeof IntakeItem>

/** One per intake request, synced before the answer: no state of Redis can lose what it names. */
export const IntakeRecord = z.object({
  v: z.literal(1),
  at: z.iso.datetime(),
  source: z.string(),
  idempotencyKey: z.string().optional(),
  items: z.array(IntakeItem),
})
export type IntakeRecord = z.infer<typeof IntakeRecord>

/** One per end, retry and dismissal. */
export const EndRecord = RecordStamp.extend({
  kind: z.enum(['end', 'retry', 'dismissal']),
  at: z.iso.datetime(),
  stage: StageName,
  outcome: Outcome.optional(),
  code: Code.optional(),
  cause: z.string().max(1024).optional(),
  articleId: ArticleId.optional(),
  duplicateOf: CaptureId.optional(),
})
export type EndRecord = z.infer<typeof EndRecord>
