import { readFile } from 'node:fs/promises'

/** A process's resident memory in MiB, from /proc; null where the system has none, or the process is gone. */
export async function residentMemory(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]
  return kib === undefined ? null : Number(kib) / 1024
}
