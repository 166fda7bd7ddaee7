import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'

export interface Program {
  name: string
  command: string[]
}

/** Processes that are started again at once, whatever they die of. */
export interface Supervised {
  running: () => { name: string; pid: number }[]
  kill: (name: string) => void
  /** Ends all of them and waits until they are gone. */
  stop: () => Promise<void>
}

/** Starts each program and keeps it running; what it says goes to a log of its name in `folder`. */
export function supervise(programs: Program[], options: { folder: string; env: NodeJS.ProcessEnv }): Supervised {
  const children = new Map<string, ChildProcess>()
  let stopping = false

  function start({ name, command }: Program): void {
    const [file = '', ...args] = command
    const log = openSync(join(options.folder, `${name}.log`), 'a')
    const child = spawn(file, args, { env: { ...process.env, ...options.env }, stdio: ['ignore', log, log] })
    closeSync(log)
    children.set(name, child)
    child.once('exit', () => {
      children.delete(name)
      if (!stopping) start({ name, command })
    })
  }

  for (const program of programs) start(program)
  return {
    running: () => [...children].flatMap(([name, { pid }]) => (pid === undefined ? [] : [{ name, pid }])),
    kill: (name) => void children.get(name)?.kill('SIGKILL'),
    async stop() {
      stopping = true
      await Promise.all([...children.values()].map(ended))
    },
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}
