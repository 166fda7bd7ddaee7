import { CannotRun } from '../local/cannot-run.ts'
import { DEFAULT_DATA } from '../local/repository.ts'
import { readSystemFile } from './system-file.ts'

/** Where docker compose publishes the API, and `up` too unless told otherwise. */
const USUAL = 'http://127.0.0.1:8080'

/** The API that a client command talks to: COPYDESK_URL, else the system that runs on the data folder, else the usual address. */
export function apiUrl(folder = DEFAULT_DATA, env: NodeJS.ProcessEnv = process.env): string {
  const given = env['COPYDESK_URL']
  if (given && !/^https?:\/\/[^/]/.test(given))
    throw new CannotRun(`COPYDESK_URL=${given} is no address of an API: write ${USUAL}, or such`)
  return (given || readSystemFile(folder)?.api || USUAL).replace(/\/+$/, '')
}
