import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { isAlive, type ProcessIdentity } from '../local/process-identity.ts'

/** What a running system leaves in its data folder for `down` and for the clients of the API. */
const SystemFile = z.object({
  pid: z.int(),
  started: z.string().nullable(),
  api: z.string(),
  redis: z.string(),
  elasticsearch: z.string(),
})
export type SystemFile = z.infer<typeof SystemFile>

/** Tells who looks into the data folder how to find the system. */
export function writeSystemFile(folder: string, content: SystemFile): void {
  const path = systemFilePath(folder)
  mkdirSync(join(folder, 'run'), { recursive: true })
  // Redis's address may hold a password.
  writeFileSync(`${path}.part`, JSON.stringify(content), { mode: 0o600 })
  renameSync(`${path}.part`, path)
}

/** Takes the system's addresses out of the data folder. */
export function removeSystemFile(folder: string): void {
  rmSync(systemFilePath(folder), { force: true })
}

/** The system that runs on the data folder; null where none does. */
export function readSystemFile(folder: string): SystemFile | null {
  try {
    const content = SystemFile.parse(JSON.parse(readFileSync(systemFilePath(folder), 'utf8')))
    return isAlive(content satisfies ProcessIdentity) ? content : null
  } catch {
    return null
  }
}

const systemFilePath = (folder: string): string => join(folder, 'run', 'system.json')
