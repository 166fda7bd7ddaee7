/** Something that happens once, which many may wait for. */
export interface Latch {
  open: () => void
  fail: (error: Error) => void
  isOpen: () => boolean
  opened: () => Promise<void>
}

/** A latch that is closed yet. */
export function latch(): Latch {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // Nobody may be waiting when it fails; those who ask later still learn it.
  promise.catch(() => {})
  let open = false
  return {
    open() {
      open = true
      resolve()
    },
    fail: reject,
    isOpen: () => open,
    opened: () => promise,
  }
}
