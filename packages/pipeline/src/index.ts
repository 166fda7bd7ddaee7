/** What a stage is, what it may return and throw, and the chain run in memory. */
export * from './bytes-page.ts'
export * from './errors.ts'
export * from './every-so-often.ts'
export * from './failpoint.ts'
export * from './result.ts'
export * from './run-inline.ts'
export * from './stage.ts'
