/** Everything that lives in Redis: queues, registry and trail, URL ledger, epoch, leases. The only importer of bullmq and ioredis. */
export { isRedisAway } from './connection/away.ts'
export { checkRedis, parseInfo, redisFaults, UnfitRedisError } from './connection/check-redis.ts'
export { refusalOf, type Refusal } from './connection/explain.ts'
export { connectRedis, redisReady } from './connection/redis.ts'
export {
  type Asked,
  CEILING_SETTINGS,
  type CeilingLimits,
  type Ceilings,
  createCeilings,
  IntakeFullError,
  type LimitName,
} from './ceilings.ts'
export { agreeEpoch, type EpochStore, type EpochVerdict } from './epoch.ts'
export { createEpochGate, type EpochGate } from './epoch-gate.ts'
export { createFailures, type Failures, type FailuresOptions, NotDeadError } from './failures.ts'
export { createHomeStore } from './homes.ts'
export { createIntake, IntakeClosedError, type IntakeArchive, type IntakeRequest, type Taken, UndecidedError } from './intake.ts'
export { createLease } from './keeper/lease.ts'
export { DEFAULT_RECONCILE, reconcile, type ReconcileOptions } from './keeper/reconcile.ts'
export { DEFAULT_TAIL_CHECK, type IntakeTail, tailCheck, type TailCheckOptions } from './keeper/tail-check.ts'
export { bytesKey, fetchKey, urlDigest } from './keys.ts'
export type { CaptureState, DeadLetter } from './looks.ts'
export { DEFAULT_PREFIX } from './names.ts'
export { createNotices, type NoticeKind, type Notices } from './notices.ts'
export { createQueues, type Queues } from './queues.ts'
export { type Caps, createRegistry, DEFAULT_CAPS, type Registry } from './registry.ts'
export type { Kind, LedgerArchive } from './recover/ledger.ts'
export { recover, type RecoverOptions, type RecoverResult } from './recover/recover.ts'
export { RecoverError } from './recover/write-back.ts'
export { DEFAULT_RETRY, type RetryPolicy } from './runner/retry-policy.ts'
export { type JobDeps, type Observation, runJob } from './runner/run-job.ts'
export type { RecordStore } from './runner/record-store.ts'
export type { Valve } from './runner/valve.ts'
export { EpochError } from './scripts.ts'
export { startStage, type StageOptions, type StageWorker } from './runner/start-stage.ts'
export { createTasks, TaskBusyError, type Tasks } from './tasks.ts'
export { createViews, type Views } from './views.ts'
