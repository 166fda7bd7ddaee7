/** The words of ioredis, of Redis as it starts, and of the system, for a Redis that is away, goes, or is just coming back. */
const AWAY =
  /Stream isn't writeable|Connection is closed|Command timed out|Socket timeout|max retries per request|^LOADING\b|\bECONN(?:REFUSED|RESET|ABORTED)\b|\bEPIPE\b|\bETIMEDOUT\b|\bENOTFOUND\b|\bEAI_AGAIN\b|\bEHOSTUNREACH\b/

/** Whether an error means that Redis is away: there are as many kinds as there are moments to go. */
export function isRedisAway(error: unknown): boolean {
  return error instanceof Error && AWAY.test('code' in error ? `${error.message} ${String(error.code)}` : error.message)
}
