import { CaptureId } from '@copydesk/contracts'
import { problem, ProblemError } from './problem.ts'

/** Reads the captureId in a path. Throws a 400 that says what one is. */
export function readCaptureId(id: string): CaptureId {
  const parsed = CaptureId.safeParse(id)
  if (parsed.success) return parsed.data
  throw new ProblemError(problem(400, 'bad-capture-id', 'a captureId is a UUIDv7 in lower case, as ingest answered it', '/id'))
}
