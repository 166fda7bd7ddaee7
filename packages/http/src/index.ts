/** Reaching the outside web: the guard that decides which addresses may be reached, and the fetch that obeys it. */
export { type AllowedAddress, parseAllowCidrs } from './allowed-addresses.ts'
export { classifyAddress } from './classify-address.ts'
export { createFetcher, type Fetcher, type FetcherOptions, type FetchResult, type GetOptions } from './fetcher.ts'
export { createGuard, type Guard, type GuardOptions } from './guard.ts'
export { LIMITS, type Limits } from './limits.ts'
export type { HostSlots, Refusal, Resume, Robots } from './ports.ts'
export { userAgent } from './user-agent.ts'
