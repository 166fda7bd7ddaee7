import type { RefusalCode } from '@copydesk/contracts'

/** Why an address is not fetched; the evidence is for an operator to read, and holds no secret of the URL. */
export interface Refusal {
  code: RefusalCode
  evidence: string
}

/** Where a fetch that had to wait goes on: the hop to ask next, and the redirects before it. */
export interface Resume {
  url: string
  chain: { url: string; status: number }[]
}

/** Pacing, asked before each hop. */
export interface HostSlots {
  /** Takes the next start on this URL's host: 0 when it is now, else in how many milliseconds to ask again; nothing is taken then. */
  take(url: string): Promise<number>
}

/** robots.txt, asked before each hop. */
export interface Robots {
  allows(url: string, signal: AbortSignal): Promise<boolean>
}
