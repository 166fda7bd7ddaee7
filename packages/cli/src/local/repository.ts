import { join, resolve } from 'node:path'

/** The checkout that this file is part of. */
export const ROOT = resolve(import.meta.dirname, '../../../..')
/** What Copydesk installs and keeps, never committed. */
export const LOCAL = join(ROOT, '.local')
/** Where `up` keeps its data unless told otherwise. */
export const DEFAULT_DATA = join(LOCAL, 'data')
