/** At most one call in so many milliseconds; what comes between is dropped. For what would else be said thousands of times. */
export function everySoOften<T>(ms: number, call: (value: T) => void): (value: T) => void {
  let last = -Infinity
  return (value) => {
    if (performance.now() - last < ms) return
    last = performance.now()
    call(value)
  }
}
