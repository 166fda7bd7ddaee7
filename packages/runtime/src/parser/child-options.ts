import { join, resolve } from 'node:path'

/** The checkout: what a child may read of it is its code. */
const ROOT = resolve(import.meta.dirname, '../../../..')

export interface ChildSettings {
  /** The archive's folder, or null where tasks bring their pages with them. */
  store: string | null
  deadlineMs: number
  /** Most memory of the JavaScript heap, in MiB. */
  heapMb: number
}

/**
 * How a child is forked: a capped heap; no right to write, to spawn or to start threads; read rights on code and archive only; none of
 * our environment, since passwords are in it.
 */
export function childOptions({ store, deadlineMs, heapMb }: ChildSettings): { forkArgs: string[]; forkOpts: object } {
  const readable = [
    join(ROOT, 'packages'),
    join(ROOT, 'node_modules'),
    join(ROOT, 'package.json'),
    ...(store === null ? [] : [resolve(store)]),
  ]
  return {
    forkArgs: [String(deadlineMs), store === null ? '' : resolve(store)],
    forkOpts: {
      serialization: 'advanced',
      env: { TZ: 'UTC' },
      execArgv: [
        `--max-old-space-size=${heapMb}`,
        '--max-semi-space-size=8',
        '--permission',
        ...readable.map((path) => `--allow-fs-read=${path}`),
      ],
    },
  }
}
