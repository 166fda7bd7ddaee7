/** What Redis uses, in bytes, from `INFO memory`. */
export function parseMemory(info: string): number {
  const [, used = ''] = /^used_memory:(\d+)/m.exec(info) ?? []
  return Number(used)
}
