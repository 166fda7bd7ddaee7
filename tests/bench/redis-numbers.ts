import { Redis } from 'ioredis'

/** What a Redis has used since its start; nulls where there is none. */
export async function redisNumbers(
  redis: { url: string } | null,
): Promise<{ redisCpuSeconds: number | null; redisPeakMiB: number | null }> {
  if (redis === null) return { redisCpuSeconds: null, redisPeakMiB: null }
  const client = new Redis(redis.url)
  try {
    const info = `${await client.info('cpu')}\n${await client.info('memory')}`
    const number = (name: string): number => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1] ?? 0)
    const cpu = ['used_cpu_sys', 'used_cpu_user', 'used_cpu_sys_children', 'used_cpu_user_children']
    return { redisCpuSeconds: cpu.reduce((sum, name) => sum + number(name), 0), redisPeakMiB: number('used_memory_peak') / 1024 / 1024 }
  } finally {
    client.disconnect()
  }
}
