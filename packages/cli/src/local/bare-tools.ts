import { accessSync, constants, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { testFolder } from '../test-folder.ts'

/** What POSIX has on any machine, as far as our scripts use it. */
const TOOLS = [
  'sh',
  'cat',
  'cksum',
  'cut',
  'dirname',
  'grep',
  'head',
  'id',
  'ls',
  'mkdir',
  'mv',
  'pwd',
  'readlink',
  'rm',
  'rmdir',
  'sed',
  'sleep',
  'tail',
  'uname',
]

/** For tests: a folder to use as PATH on which there are the common tools, and neither Node nor a packager. */
export function bareTools(): string {
  const folder = testFolder('path')
  for (const tool of TOOLS) {
    const path = (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((part) => join(part, tool))
      .find(isExecutable)
    if (path) symlinkSync(path, join(folder, tool))
  }
  return folder
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
