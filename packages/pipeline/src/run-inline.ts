import type { Envelope, Reference } from '@copydesk/contracts'
import type { End } from './result.ts'
import type { Log, Stage } from './stage.ts'

/** Where outputs lie while a chain runs in memory. */
export interface InlineStore {
  keep(output: unknown): Reference
  load(ref: Reference): unknown
}

/** A stage with what it depends on, ready to be run. */
export type InlineStep = (
  envelope: Envelope,
  at: { store: InlineStore; log: Log; signal: AbortSignal },
) => Promise<End | { next: true; output: unknown }>

/** Binds a stage to what it depends on. */
export function inlineStep<Input, Output, Deps>(stage: Stage<Input, Output, Deps>, deps: Deps): InlineStep {
  return async (envelope, { store, log, signal }) => {
    const input = stage.input.parse(stage.from === 'envelope' || envelope.ref === null ? envelope : store.load(envelope.ref))
    const { captureId, rev } = envelope
    return await stage.run(input, { deps, log, signal, captureId, rev, run: 1, attempt: 1, wakes: 0 })
  }
}

/**
 * Runs stages one after another in memory, with no services: each output is the next one's input. Answers the last output, or the end
 * where a stage came to one. What a stage throws is thrown.
 */
export async function runInline(
  steps: InlineStep[],
  first: Envelope,
  at: { store: InlineStore; log: Log; signal: AbortSignal },
): Promise<End | { next: true; output: unknown }> {
  let envelope = first
  let output: unknown
  for (const step of steps) {
    const result = await step(envelope, at)
    if (!result.next) return result
    output = result.output
    envelope = { ...envelope, ref: at.store.keep(output), resume: undefined }
  }
  return { next: true, output }
}

/** A store that is a list. */
export function createInlineStore(): InlineStore {
  const kept: unknown[] = []
  return {
    keep: (output) => ({ store: 'file', segment: IN_MEMORY, offset: kept.push(output) - 1, length: 1 }),
    load: ({ offset }) => kept[offset],
  }
}
const IN_MEMORY = 'raw-00000000-0000-7000-8000-000000000000.warc.gz'
