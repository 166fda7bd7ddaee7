import { z } from 'zod'

/** What a stage's output is kept as: the kind of archive segment its record goes to. */
export type RecordKind = 'intake' | 'raw' | 'clean' | 'article' | 'ends'

/** The stages in their order. Queues, services and folders bear these names; `keeps` is null where a stage only ends captures. */
export const STAGES = [
  { name: 'fetch', keeps: 'raw' },
  { name: 'clean', keeps: 'clean' },
  { name: 'extract-metadata', keeps: 'article' },
  { name: 'index', keeps: null },
] as const satisfies readonly { name: string; keeps: RecordKind | null }[]

export const StageName = z.enum(['fetch', 'clean', 'extract-metadata', 'index'])
export type StageName = z.infer<typeof StageName>

/** The stage after this one, or null after the last. */
export function stageAfter(name: StageName): StageName | null {
  const at = STAGES.findIndex((stage) => stage.name === name)
  return STAGES[at + 1]?.name ?? null
}
