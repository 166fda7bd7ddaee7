/** A child program for the pool's tests: its pages say how to misbehave. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { PermanentError } from '@copydesk/pipeline'
import { serveTasks } from './serve-tasks.ts'

const ways: Record<string, () => unknown> = {
  pid: () => process.pid,
  loop: () => {
    for (;;);
  },
  regex: () => /^(?:a+)+$/.test(`${'a'.repeat(60)}b`),
  heap: () => {
    const kept: unknown[] = []
    for (;;) kept.push(Array.from({ length: 1000 }, () => kept.length + Math.random()))
  },
  buffers: () => {
    const kept: unknown[] = []
    for (;;) kept.push(Buffer.alloc(8 * 1024 * 1024, 1))
  },
  exit: () => process.exit(3),
  write: () => writeFileSync(`/tmp/written-by-a-page-${process.pid}`, ''),
  spawn: () => spawnSync('true').error?.message,
  // oxlint-disable-next-line node/no-process-env -- the test is that nothing of ours is in it
  environment: () => Object.keys(process.env),
  permanent: () => {
    throw new PermanentError('schema', 'not what it should be')
  },
  unknown: () => {
    throw new TypeError('undefined is not a page')
  },
}

serveTasks({ clean: { load: async ({ way }: { way: string }) => way, work: (way: string) => ways[way]?.() } }, Number(process.argv[2]))
