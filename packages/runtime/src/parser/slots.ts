/** Lets so many tasks run at once; the others wait in order. */
export interface Slots {
  /** Waits for a free slot; rejects with the signal's reason when it is aborted before. */
  take(signal: AbortSignal): Promise<void>
  free(): void
  waiting(): number
}

export function createSlots(size: number): Slots {
  const queue: (() => void)[] = []
  let left = size
  return {
    take: (signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error)
        if (left > 0) {
          left -= 1
          return resolve()
        }
        const begin = (): void => {
          signal.removeEventListener('abort', leave)
          resolve()
        }
        const leave = (): void => {
          queue.splice(queue.indexOf(begin), 1)
          reject(signal.reason as Error)
        }
        signal.addEventListener('abort', leave, { once: true })
        queue.push(begin)
      }),
    free() {
      const next = queue.shift()
      if (next === undefined) left += 1
      else next()
    },
    waiting: () => queue.length,
  }
}
