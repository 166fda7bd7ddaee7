/**
 * The places where a kill has a meaning of its own (docs/STAGES.md, Failpoints): every sync, script, add, bulk and rename. Each is passed
 * twice, before and after.
 */
export const FAILPOINTS = [
  'sync.intake',
  'sync.raw',
  'sync.clean',
  'sync.article',
  'sync.ends',
  'segment.create',
  'segment.rename',
  'epoch.write',
  'accept',
  'accept-ended',
  'start',
  'hand-over',
  'put-back',
  'death',
  'end',
  'retry',
  'dismiss',
  'mark',
  'restore',
  'restore-totals',
  'add',
  'add-all',
  'bulk',
] as const
export type Failpoint = (typeof FAILPOINTS)[number]
export type FailpointSide = 'before' | 'after'
export type FailpointAction = (name: Failpoint, side: FailpointSide) => void

let action: FailpointAction | null = null

/** Passes a failpoint. Nothing happens, unless a test has armed this process. */
export function failpoint(name: Failpoint, side: FailpointSide): void {
  action?.(name, side)
}

/** Lets an action run at every failpoint of this process; null for none. For tests that kill a process at an exact place. */
export function armFailpoints(run: FailpointAction | null): void {
  action = run
}
