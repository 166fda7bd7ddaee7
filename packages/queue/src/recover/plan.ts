import {
  type CaptureId,
  type Code,
  type EndRecord,
  type Envelope,
  type IntakeItem,
  type Reference,
  STAGES,
  stageAfter,
  type StageName,
} from '@copydesk/contracts'
import { fetchKey } from '../keys.ts'
import { type KeptRecord, KINDS, type OpenCapture } from './ledger.ts'

/** The registry entry that a capture gets again. */
export interface EntryPlan {
  captureId: CaptureId
  stage: StageName
  /** More than any run of this capture that the archive knows of; of a dead letter the last of them. */
  run: number
  envelope: Envelope
  /** Held while it waits at its first stage; null at a later one. */
  key: string | null
  /** Of a dead letter. */
  dead: { code: Code; cause: string; at: number; run: number } | null
}

/**
 * Where an open capture goes on: after its last record, that is, the one of the highest rev, then run. Without one at fetch, or with bytes in hand at clean.
 * A dead letter stays at the stage of its end, if the record that this stage reads is there.
 */
export function planEntry({ item, rev, run, end, records }: OpenCapture): EntryPlan {
  const { captureId, url, hints } = item
  const last = records.toSorted(byCount).at(-1)
  const failedAt = end && inputOf(end.stage, records)
  const { stage, ref, key } = failedAt ? placeOf(item, end, failedAt) : placeOf(item, end, after(last))
  return {
    captureId,
    stage,
    run: Math.max(run, ...records.map((record) => record.run)) + (end ? 0 : 1),
    envelope: { v: 1, captureId, rev: Math.max(rev, last?.rev ?? 0), url, ref, ...(hints && { hints }) },
    key,
    dead: end && { code: end.code ?? 'internal', cause: end.cause ?? '', at: Date.parse(end.at), run: end.run },
  }
}

interface Input {
  stage: StageName
  record: KeptRecord | null
}

function placeOf(
  item: IntakeItem,
  end: EndRecord | null,
  { stage, record }: Input,
): { stage: StageName; ref: Reference | null; key: string | null } {
  // The bytes in hand are a raw record themselves, of run 0: whoever starts from them holds their key.
  if (record) return { stage, ref: record.reference, key: item.ref !== null && record.run === 0 ? item.key : null }
  if (item.ref === null) return { stage: 'fetch', ref: null, key: item.key }
  // A retry whose bytes were gone began at fetch, and failed there.
  if (end?.stage === 'fetch' && item.url !== null) return { stage: 'fetch', ref: null, key: fetchKey(item.url) }
  return { stage: 'clean', ref: item.ref, key: item.key }
}

function after(last: KeptRecord | undefined): Input {
  const kept = last && STAGES.find(({ keeps }) => keeps === last.kind)
  const stage = kept && stageAfter(kept.name)
  return last && stage ? { stage, record: last } : { stage: 'fetch', record: null }
}

/** A stage and the record that it reads; null where that is not there. */
function inputOf(stage: StageName, records: readonly KeptRecord[]): Input | null {
  if (stage === 'fetch') return { stage, record: null }
  const before = STAGES[STAGES.findIndex(({ name }) => name === stage) - 1]
  const record = records.find(({ kind }) => kind === before?.keeps)
  return record ? { stage, record } : null
}

function byCount(a: KeptRecord, b: KeptRecord): number {
  return a.rev - b.rev || a.run - b.run || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind)
}
