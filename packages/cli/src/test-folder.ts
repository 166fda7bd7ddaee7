import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const made: string[] = []
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** For tests: an empty folder that goes away with the test file. */
export function testFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `copydesk-${name}-`))
  made.push(folder)
  return folder
}
