import type { CaptureId, StageName } from '@copydesk/contracts'
import type { z } from 'zod'
import type { StageResult } from './result.ts'

/** Structured logging, already bound to the job; the message is a constant, data goes into fields. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(bindings: object): Log
}

export interface StageContext<Deps> {
  deps: Deps
  log: Log
  /** Aborted at the deadline, at a lost lock, at shutdown. */
  signal: AbortSignal
  captureId: CaptureId
  rev: number
  /** The fence of this run: greater than that of any run before. */
  run: number
  /** 1 for the first; only retryable errors count up. */
  attempt: number
  /** How often the job was put back by a rate limit since it came to this stage. */
  wakes: number
}

export interface Stage<Input, Output, Deps> {
  name: StageName
  input: z.ZodType<Input>
  /** `record`: the runner loads the referenced record and its content is the input; `envelope`: the envelope's own fields are. */
  from: 'envelope' | 'record'
  /** Never for a stage that only ends captures. */
  output: z.ZodType<Output>
  run(input: Input, context: StageContext<Deps>): Promise<StageResult<Output>>
}

/** Declares a stage; only for the types: input and output follow from the schemas, deps from the annotated context. */
export function defineStage<Input, Output, Deps>(stage: Stage<Input, Output, Deps>): Stage<Input, Output, Deps> {
  return stage
}
