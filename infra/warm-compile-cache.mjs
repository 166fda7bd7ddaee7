// Imports what the services import, so that Node's compile cache (NODE_COMPILE_CACHE) holds it. None of these starts anything.
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = resolve(import.meta.dirname, '..')
const entries = [
  ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'src/index.ts')),
  ...readdirSync(join(root, 'services')).map((name) => join(root, 'services', name, 'src/stage.ts')),
].filter((path) => existsSync(path))
for (const path of entries) await import(pathToFileURL(path).href)
