import { armFailpoints, FAILPOINTS, type Failpoint, type FailpointSide } from '@copydesk/pipeline'

/** Where a process is to kill itself: at which pass of a failpoint, counted from 1. */
export interface KillAt {
  name: Failpoint
  side: FailpointSide
  pass: number
}

/** Reads `sync.raw:after@3`; without `@` the first pass is meant. Throws an Error that says how it is written. */
export function parseKillAt(text: string): KillAt {
  const [, name, side, pass = '1'] = /^([a-z.-]+):(before|after)(?:@(\d{1,6}))?$/.exec(text) ?? []
  const known = FAILPOINTS.find((each) => each === name)
  if (!known || Number(pass) < 1) throw new Error(`a failpoint, :before or :after, and @pass, such as sync.raw:after@3`)
  return { name: known, side: side as FailpointSide, pass: Number(pass) }
}

/** Makes this process kill -9 itself there: nothing of it gets another turn, not even what it has written so far to a pipe. */
export function armKill({ name, side, pass }: KillAt): void {
  let passed = 0
  armFailpoints((atName, atSide) => {
    if (atName !== name || atSide !== side) return
    passed += 1
    if (passed === pass) process.kill(process.pid, 'SIGKILL')
  })
}
