import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'

/** One thing to take in: an address, a file, or standard input. */
export type Input = { kind: 'url'; name: string } | { kind: 'file'; name: string; contentType: string } | { kind: 'stdin'; name: '-' }

/** An input that can't be taken, and why, with the cure. */
export interface BadInput {
  name: string
  reason: string
}

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.htm': 'text/html',
  '.xhtml': 'application/xhtml+xml',
  '.txt': 'text/plain',
  '.text': 'text/plain',
  '.md': 'text/plain',
}

/** What a file's name says of its type; null where it says nothing. */
export function typeByName(path: string): string | null {
  return TYPES[extname(path).toLowerCase()] ?? null
}

/** Turns arguments into inputs: an address as it is, a folder into its files, in the order of their names. Names beginning with a dot are passed over. */
export async function expandInputs(names: string[]): Promise<{ inputs: Input[]; bad: BadInput[] }> {
  const seen = new Set<string>()
  const inputs: Input[] = []
  const bad: BadInput[] = []
  for (const name of names) {
    if (name === '-') inputs.push({ kind: 'stdin', name })
    else if (/^[a-z][a-z0-9+.-]*:/i.test(name) && !(await isThere(name))) inputs.push({ kind: 'url', name })
    else await addPath(name, inputs, bad, seen)
  }
  return { inputs, bad }
}

/** A file may have a colon in its name. */
async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

/** `seen`: the folders that were read, by their real names, since a link may lead back into one. */
async function addPath(path: string, inputs: Input[], bad: BadInput[], seen: Set<string>): Promise<void> {
  try {
    const found = await stat(path)
    if (!found.isDirectory()) {
      inputs.push({ kind: 'file', name: path, contentType: typeByName(path) ?? 'application/octet-stream' })
      return
    }
    const real = await realpath(path)
    if (seen.has(real)) return
    seen.add(real)
    const entries = (await readdir(path)).filter((entry) => !entry.startsWith('.')).toSorted()
    for (const entry of entries) await addPath(join(path, entry), inputs, bad, seen)
  } catch (error) {
    bad.push({ name: path, reason: pathFault(path, error) })
  }
}

/** What is wrong with a path, in words. */
export function pathFault(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') {
    // news.example/a was meant as an address.
    const meant = /^(www\.|[\w-]+(\.[\w-]+)+\/)/.test(path) ? `; an address begins with https://` : ''
    return `there is no such file or folder${meant}`
  }
  if (code === 'EACCES') return 'it may not be read by this user: change its permissions'
  return `it can't be read (${error instanceof Error ? error.message : String(error)})`
}
