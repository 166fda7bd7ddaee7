/** Replaces halves of surrogate pairs, in every string of a value: JSON-LD escapes and cut texts have them, and Elasticsearch refuses the whole document. */
export function wellFormed<Value>(value: Value): Value {
  return heal(value) as Value
}

function heal(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(heal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, heal(inner)]))
}
