import { parseAllowCidrs } from '@copydesk/http'
import { CommonEnv, ConfigError, envTypes, loadEnv } from '@copydesk/runtime'
import { z } from 'zod'

const ApiEnv = CommonEnv.extend({
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: envTypes.port.default(8080),
  API_OPEN: z
    .enum(['loopback-published'], { error: '`loopback-published`, where the port is published on loopback only, or unset' })
    .optional(),
  INTAKE_MAX_REDIS_BYTES: envTypes.bytes.default(1_073_741_824),
  INTAKE_MIN_FREE_BYTES: envTypes.bytes.default(1_073_741_824),
  INTAKE_MAX_IN_FLIGHT: envTypes.count.default(200_000),
  FETCH_ALLOW_CIDRS: envTypes.readBy(parseAllowCidrs).default([]),
})
export type ApiEnv = z.infer<typeof ApiEnv>

const LOOPBACK = ['127.0.0.1', '::1', 'localhost']

/** Reads the API's environment. Throws ConfigError: there are no tokens yet, so nothing but loopback is served. */
export function readApiEnv(env?: Record<string, string | undefined>): ApiEnv {
  const read = env === undefined ? loadEnv(ApiEnv) : loadEnv(ApiEnv, env)
  if (!LOOPBACK.includes(read.API_HOST) && read.API_OPEN === undefined)
    throw new ConfigError(
      `API_HOST=${read.API_HOST} would open the API to others, who need no token yet: use 127.0.0.1, or set API_OPEN=loopback-published where a container publishes the port on loopback only`,
    )
  return read
}
