import type { Worker } from 'bullmq'

/** Something that a stage's jobs wait for: while it does not flow, no job is taken, and none is spent on finding that out. */
export interface Valve {
  flows(): boolean
  /** Calls back whenever it shuts or flows again. */
  onChange(listener: (flows: boolean) => void): void
}

/**
 * Lets a worker take jobs only while all valves flow. Answers whether they do, and a way to stop steering.
 * Jobs under way run on: what they wait for is theirs to find out.
 */
export function steer(worker: Worker, valves: readonly Valve[], onError: (error: unknown) => void) {
  let stopped = false
  const flows = () => valves.every((valve) => valve.flows())

  function turn(): void {
    if (stopped) return
    const open = flows()
    // Without waiting for the jobs under way: a pause that waits stops the look for stalled jobs only at its end, that is, after a resume too.
    if (!open) void worker.pause(true).catch(onError)
    else if (worker.isPaused()) void worker.resume().catch(onError)
    else if (!worker.isRunning()) void worker.run().catch(onError)
  }

  for (const valve of valves) valve.onChange(turn)
  if (flows()) turn()
  return {
    flows,
    stop(): void {
      stopped = true
    },
  }
}
