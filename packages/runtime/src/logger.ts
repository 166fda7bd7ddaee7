import { pino, type Logger } from 'pino'

/** Names whose values never reach a log. */
const SECRETS = ['authorization', 'cookie', 'password', 'token', 'apiKey', 'auth']

/** NDJSON on standard output: constant messages, data in fields. Each service adds its name, the runner its job. */
export function createLogger(options: { service: string; level: string; fd?: number }): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '…' },
    },
    pino.destination({ fd: options.fd ?? 1, sync: true }),
  )
}
