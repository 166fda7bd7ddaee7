import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Something that was said: a line of a service's log, a notice of the supervision, or what `status` said that it waits for. */
export interface Line {
  at: number
  /** A process's name, `supervision`, or `status`. */
  by: string
  text: string
}

/** Where the logs of a running system stand, so that later only what came after is read. */
export type LogMarks = Map<string, number>

/** The present ends of all logs. */
export function markLogs(folder: string): LogMarks {
  return new Map(logFiles(folder).map((file) => [file, statSync(file).size]))
}

/** What the services wrote since. A line without a time of its own takes that of the line before. */
export function linesSince(folder: string, marks: LogMarks): Line[] {
  return logFiles(folder).flatMap((file) => {
    const by = file.slice(file.lastIndexOf('/') + 1, -'.log'.length)
    let at = 0
    return readFileSync(file)
      .subarray(marks.get(file) ?? 0)
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((text) => {
        const [, time] = /"time":"([^"]+)"/.exec(text) ?? []
        if (time !== undefined) at = Date.parse(time)
        return { at, by, text }
      })
  })
}

function logFiles(folder: string): string[] {
  const logs = join(folder, 'logs')
  if (!existsSync(logs)) return []
  return readdirSync(logs)
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(logs, name))
}
