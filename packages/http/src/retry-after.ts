const SECOND = 1000
const LONGEST = 3_600 * SECOND

/** How long a `Retry-After` header asks to wait, in milliseconds: between a second and an hour, whatever it says; null when it says nothing readable. */
export function retryAfter(header: string | null, now: number): number | null {
  const text = header?.trim() ?? ''
  const wait = /^\d+$/.test(text) ? Number(text) * SECOND : Date.parse(text) - now
  // Date.parse takes a lone year or "1.5" for a date: a real one (RFC 9110, 5.6.7) has letters in it.
  if (Number.isNaN(wait) || !/^\d+$|[a-z]{3}.*\d/i.test(text)) return null
  return Math.min(Math.max(wait, SECOND), LONGEST)
}
