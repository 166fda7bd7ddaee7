import type { FaultCode } from '@copydesk/contracts'
import { PermanentError, RetryableError } from '@copydesk/pipeline'

/** What a child says as it takes a task up: from here on the time is the page's. */
export interface Started {
  pid: number
}

/** A thrown error as plain data: classes don't survive the way between processes. */
export interface Fault {
  permanent: boolean
  code: FaultCode
  message: string
  stack: string
}

/** What a child answers. */
export type Answer<Reply> = { reply: Reply } | { fault: Fault }

/** Turns whatever a task threw into plain data. What is no error of the pipeline's own counts as retryable (`internal`); a schema failure is permanent. */
export function toFault(error: unknown): Fault {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  if (error instanceof PermanentError || error instanceof RetryableError)
    return { permanent: error.name === 'PermanentError', code: error.code, message, stack }
  if (name === 'ZodError') return { permanent: true, code: 'schema', message: `the record is not what its stage takes: ${message}`, stack }
  return { permanent: false, code: 'internal', message, stack }
}

/** The error that a child's fault stands for, with the child's stack as its cause. */
export function toError({ permanent, code, message, stack }: Fault): Error {
  const options = { cause: Object.assign(new Error(message), { stack }) }
  return permanent ? new PermanentError(code, message, options) : new RetryableError(code, message, options)
}
