import { CaptureId } from '@copydesk/contracts'
import { CannotRun } from '../local/cannot-run.ts'

/** The captureId that a command about a dead letter was given. Throws CannotRun where it is none. */
export function deadLetterId(id: string): CaptureId {
  const parsed = CaptureId.safeParse(id)
  if (parsed.success) return parsed.data
  throw new CannotRun(`${id} is no captureId: ./copydesk failures lists them`)
}
