import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, link, mkdir, readdir, readlink, realpath, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { ROOT } from '@copydesk/cli'

const run = promisify(execFile)

/** Cut out of the repository, so that git takes a patch's paths from the folder itself. */
const outside = (folder: string): NodeJS.ProcessEnv => ({ ...process.env, GIT_CEILING_DIRECTORIES: dirname(folder) })

/**
 * A copy of what is committed, with installed packages, in which a patch changes nobody else's code: the workspace's own packages are the
 * copy's. Parsers may read what lies in the copy only, so packages are hard links and no symbolic ones. Takes about a second.
 * Throws where the copy would use code from outside.
 */
export async function makeTree(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await unpackHead(folder)
  const groups = await Promise.all(
    ['packages', 'services'].map(async (group) => (await readdir(join(ROOT, group))).map((name) => join(group, name))),
  )
  for (const place of ['.', 'tests', ...groups.flat()])
    await linkFolder(join(ROOT, place, 'node_modules'), join(folder, place, 'node_modules'))
  const queue = await resolveIn(folder, '@copydesk/queue')
  if (!queue.startsWith(pathToFileURL(await realpath(folder)).href)) throw new Error(`the copy in ${folder} would run ${queue}`)
}

async function unpackHead(folder: string): Promise<void> {
  const pack = spawn('git', ['archive', 'HEAD'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
  const unpack = spawn('tar', ['-x', '-C', folder], { stdio: [pack.stdout, 'inherit', 'inherit'] })
  const codes = await Promise.all([pack, unpack].map(async (child) => (await once(child, 'exit'))[0] as number))
  if (codes.some((code) => code !== 0)) throw new Error('what is committed could not be copied: mutants need a git checkout')
}

/** What pnpm installed, as it lies there: its links are relative ones. The caches of tools are left out. */
async function linkFolder(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true }).catch(() => [])
  await mkdir(to, { recursive: true })
  const each = async (entry: (typeof entries)[number]): Promise<void> => {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    else if (entry.isDirectory()) await (CACHES.test(entry.name) ? undefined : linkFolder(source, target))
    else await link(source, target).catch(async () => await copyFile(source, target))
  }
  for (let at = 0; at < entries.length; at += 64) await Promise.all(entries.slice(at, at + 64).map(each))
}
const CACHES = /^\.(?:cache|vite.*)$/

/** The file that an import of `name` in the copy's tests comes to. */
export async function resolveIn(folder: string, name: string): Promise<string> {
  const script = `process.stdout.write(import.meta.resolve(${JSON.stringify(name)}))`
  return (await run(process.execPath, ['--input-type=module', '-e', script], { cwd: join(folder, 'tests') })).stdout
}

/** Applies a patch in a folder. Throws with git's words where it doesn't fit. */
export async function applyPatch(folder: string, patch: string, ...options: ('--check' | '--reverse')[]): Promise<void> {
  const env = outside(await realpath(folder))
  await run('git', ['apply', ...options, patch], { cwd: folder, env }).catch((error: { stderr?: string }) => {
    throw new Error(`the patch does not fit: ${error.stderr?.trim()}`)
  })
}

/** Checks the types of all that is in the copy: what does not even compile proves nothing. Throws with the compiler's words. */
export async function checkTypes(folder: string): Promise<void> {
  await run(join(folder, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: folder }).catch((error: { stdout?: string }) => {
    throw new Error(`its types are wrong: ${error.stdout?.slice(0, 1000)}`)
  })
}

/** What mutants need of a copy of the tree. */
export interface Tree {
  make(folder: string): Promise<void>
  check(folder: string): Promise<void>
  apply: typeof applyPatch
}
export const TREE: Tree = { make: makeTree, check: checkTypes, apply: applyPatch }
