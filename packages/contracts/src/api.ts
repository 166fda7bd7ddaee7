import { z } from 'zod'
import { Article } from './article.ts'
import { Code } from './codes.ts'
import { Hints, MAX_URL_LENGTH } from './hints.ts'
import { ArticleId, CaptureId } from './ids.ts'
import { OUTCOMES, Outcome } from './outcomes.ts'
import { STAGES, StageName } from './stages.ts'

/** RFC 9457. `pointer` (RFC 6901) names the field at fault. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string().optional(),
  pointer: z.string().optional(),
})
export type Problem = z.infer<typeof Problem>

/** Largest page, in bytes as fetched or handed in. */
export const MAX_PAGE_BYTES = 10 * 1024 * 1024

export const IngestItem = Hints.extend({ url: z.string().min(1).max(MAX_URL_LENGTH) })
export type IngestItem = z.infer<typeof IngestItem>
export const IngestRequest = z.strictObject({ items: z.array(z.unknown()).min(1).max(1000) })

export const IngestResult = z.union([
  z.object({ url: z.string().nullable(), captureId: CaptureId, duplicateOf: CaptureId.optional() }),
  z.object({ url: z.string().nullable(), problem: Problem }),
])
export type IngestResult = z.infer<typeof IngestResult>
export const IngestResponse = z.object({ results: z.array(IngestResult) })
export type IngestResponse = z.infer<typeof IngestResponse>

/** One line of a capture's trail. */
export const TrailEvent = z.object({
  at: z.iso.datetime(),
  event: z.enum(['accepted', 'started', 'handed-over', 'put-back', 'died', 'ended', 'retried', 'dismissed']),
  stage: StageName.optional(),
  run: z.int().optional(),
  attempt: z.int().optional(),
  /** How long the stage worked, in milliseconds. */
  ms: z.int().optional(),
  outcome: Outcome.optional(),
  code: Code.optional(),
  reason: z.string().optional(),
})
export type TrailEvent = z.infer<typeof TrailEvent>

export const CaptureView = z.object({
  captureId: CaptureId,
  url: z.string().nullable(),
  /** Where it is, while it is under way (or where it failed). */
  stage: StageName.optional(),
  outcome: Outcome.optional(),
  code: Code.optional(),
  reason: z.string().optional(),
  articleId: ArticleId.optional(),
  duplicateOf: CaptureId.optional(),
  events: z.array(TrailEvent),
})
export type CaptureView = z.infer<typeof CaptureView>

/** What the URL ledger knows of an address. */
export const UrlView = z.object({ url: z.string(), articleId: ArticleId.optional(), captures: z.array(CaptureView) })
export type UrlView = z.infer<typeof UrlView>

const stageCounts = z.object({ waiting: z.int(), active: z.int(), delayed: z.int() })
export const StatusView = z.object({
  accepted: z.int(),
  inFlight: z.int(),
  outcomes: z.object(Object.fromEntries(OUTCOMES.map((name) => [name, z.int()])) as Record<Outcome, z.ZodInt>),
  /** Accepted = in flight + outcomes. */
  balanced: z.boolean(),
  /** Repeats that fencing made harmless: no outcome. */
  late: z.int(),
  stages: z.object(Object.fromEntries(STAGES.map(({ name }) => [name, stageCounts])) as Record<StageName, typeof stageCounts>),
  /** Milliseconds since the intake of the capture under way that nothing has touched for longest; null when none is under way. */
  lag: z.int().nullable(),
  /** What the pipeline waits for, in words; empty when for nothing. */
  waitingFor: z.array(z.string()),
  /** What an operator must look into, in words that say what to do; empty when all is well. */
  alarms: z.array(z.string()),
})
export type StatusView = z.infer<typeof StatusView>

/** A dead letter: a capture that ended as `failed`, until it is retried or dismissed. */
export const Failure = z.object({
  captureId: CaptureId,
  url: z.string().nullable(),
  stage: StageName,
  code: Code,
  cause: z.string(),
  /** When it failed. */
  at: z.iso.datetime(),
})
export type Failure = z.infer<typeof Failure>

/** A page of dead letters, oldest first. `after` is what to ask on with; null at the end. */
export const FailuresView = z.object({ total: z.int(), failures: z.array(Failure), after: CaptureId.nullable() })
export type FailuresView = z.infer<typeof FailuresView>

/** A dead letter, whole: its cause, and its trail. */
export const FailureView = z.object({ failure: Failure, capture: CaptureView })
export type FailureView = z.infer<typeof FailureView>

/** What became of retrying or dismissing. `duplicateOf`: another capture does the same work already. */
export const SettledView = z.object({ captureId: CaptureId, stage: StageName, duplicateOf: CaptureId.optional() })
export type SettledView = z.infer<typeof SettledView>
/** The same over all dead letters that there were when it began. */
export const SettledAllView = z.object({ settled: z.int(), duplicates: z.int(), gone: z.int() })
export type SettledAllView = z.infer<typeof SettledAllView>

/** Work over the whole archive, done by the scheduler for whoever asks. */
export const TASKS = ['recover', 'audit'] as const
export const TaskName = z.enum(TASKS)
export type TaskName = z.infer<typeof TaskName>
export const TaskRequest = z.strictObject({
  /** False: only say what it would do. */
  apply: z.boolean().default(false),
})
export const TaskView = z.object({
  task: TaskName,
  /** Tells one request from the next. */
  id: z.string(),
  apply: z.boolean(),
  state: z.enum(['asked', 'running', 'done', 'failed']),
  askedAt: z.iso.datetime(),
  startedAt: z.iso.datetime().optional(),
  endedAt: z.iso.datetime().optional(),
  /** What it does now, in words, with numbers. */
  progress: z.string().optional(),
  /** What it found (and did, where `apply`), by name. */
  result: z.record(z.string(), z.union([z.number(), z.record(z.string(), z.number())])).optional(),
  /** Why it failed. */
  reason: z.string().optional(),
})
export type TaskView = z.infer<typeof TaskView>

export const SearchResponse = z.object({ total: z.int(), articles: z.array(Article) })
export type SearchResponse = z.infer<typeof SearchResponse>
