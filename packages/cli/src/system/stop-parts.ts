import { StatusView } from '@copydesk/contracts'
import type { Supervised } from './processes.ts'

/**
 * Ends all parts: the workers first, then the API (which says what is left), then the stores that they need for it.
 * Resolves to the number of captures still under way; null where nobody could say. With `drainMs` 0 nothing is drained.
 */
export async function stopParts(parts: Supervised[], drainMs: number, api: string | null): Promise<number | null> {
  const services = parts.filter(isService)
  const others = services.filter(({ name }) => name !== 'api')
  await Promise.all(others.map((part) => part.stop(drainMs)))
  const left = drainMs > 0 && api ? await inFlight(api) : null
  await Promise.all(services.map((part) => part.stop(drainMs)))
  await Promise.all(parts.filter((part) => !isService(part)).map((part) => part.stop(drainMs)))
  return left
}

async function inFlight(api: string): Promise<number | null> {
  try {
    const answer = await fetch(`${api}/api/v1/status`, { signal: AbortSignal.timeout(2000) })
    return StatusView.pick({ inFlight: true }).parse(await answer.json()).inFlight
  } catch {
    return null
  }
}

/** A service of ours, not one of the stores. */
export function isService({ name }: Supervised): boolean {
  return name !== 'redis' && name !== 'elasticsearch'
}
