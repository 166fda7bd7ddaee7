import { join } from 'node:path'

/** A guard of ours, and a patch that takes it out. */
export interface Mutant {
  name: string
  /** What is taken out, in words. */
  guard: string
  /** The path of the patch. */
  patch: string
  /** The drills that should notice, the surest first. */
  drills: readonly string[]
}

function mutant(name: string, guard: string, ...drills: string[]): Mutant {
  return { name, guard, patch: join(import.meta.dirname, `${name}.patch`), drills }
}

/** Every mutant, in the order of the table: intake, moves and keeper, workers, Elasticsearch, lost stores. */
export const MUTANTS: readonly Mutant[] = [
  mutant('intake-record', 'the intake record, synced before accept', 'redis-wiped', 'redis-cut-back'),
  mutant('intake-limits', 'the asking whether there is room, before intake writes anything', 'redis-full'),
  mutant('keys', 'the key of a waiting address', 'spellings'),
  mutant('known-set', 'the noting of accepted captures as known', 'workers-killed'),
  mutant('stage-check', 'the stage check of the moves', 'failpoints'),
  mutant('move-fence', 'the fence of a move: stage and run', 'workers-frozen'),
  mutant('reconciler', 'the reconciler', 'redis-wiped', 'failpoints'),
  mutant('tail-check', 'the tail check', 'redis-cut-back'),
  mutant('reference-after-write', 'the wait for the write and its sync before a reference is given out', 'workers-killed'),
  mutant('failed-segment', 'the parting from a segment whose append failed', 'archive-disk-full'),
  mutant('graceful-end', 'the wait for jobs under way as a worker leaves', 'workers-stopped'),
  mutant('stalled-count', 'the patience with jobs whose worker died', 'workers-killed'),
  mutant('kept-jobs', 'the removal of jobs that are done', 'search-rejects'),
  mutant('parser-deadline', 'the deadline of a parser', 'bad-pages'),
  mutant('parser-deaths', "the count of a page's parser deaths", 'bad-pages'),
  mutant('circuit', 'the circuit, and that its fault spends no attempt', 'search-gone', 'search-blocked'),
  mutant('look-before-write', 'the look before a write', 'search-gone', 'workers-frozen'),
  mutant('older-is-stale', 'the rule that an older capture is stale', 'search-gone', 'workers-frozen'),
  mutant('external-version', 'the version of a write', 'search-late-write'),
  mutant('look-after-lost-answer', 'the look after a lost answer', 'search-answers-lost'),
  mutant('resend-only-failed', 'the choice of what is sent again', 'search-statuses'),
  mutant('overload-is-no-rejection', "the line between a document's fault and the server's", 'search-statuses'),
  mutant('too-large-split', 'the halving of a bulk that is too large', 'search-too-large'),
  mutant('socket-timeout', 'the time-out of silent sockets', 'redis-old-sockets'),
  mutant('redis-away', 'the telling of a Redis that is away from a fault of our own', 'redis-killed'),
  mutant('epoch', 'the epoch check of an emptied Redis', 'redis-wiped'),
  mutant('recover-known', 'what recover knows of captures that ended', 'redis-wiped'),
  mutant('audit-old', 'the decision of the audit on what is stored', 'index-set-back'),
]
