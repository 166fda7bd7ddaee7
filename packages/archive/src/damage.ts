/**
 * Why bytes of a segment were gone past. `garbage`: they hold no whole record; `page-lost`: a page's metadata whose page was destroyed (the bytes
 * of both); `no-json`, `schema`: a whole record, but not of the form that it should have; `unknown-version`: of a version that isn't known here.
 */
export type DamageReason = 'garbage' | 'page-lost' | 'no-json' | 'unknown-version' | 'schema'

/** What was destroyed in a segment, or can't be read: `bytes` from `at` on. */
export interface Damage {
  segment: string
  at: number
  bytes: number
  reason: DamageReason
}

export type OnDamage = (damage: Damage) => void

/** Passes each damage on once, however often it is met. */
export function onceEach(onDamage: OnDamage): OnDamage {
  const met = new Set<string>()
  return (damage) => {
    const place = `${damage.segment} ${damage.at}`
    if (met.has(place)) return
    met.add(place)
    onDamage(damage)
  }
}
