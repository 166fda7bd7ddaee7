/** Why Redis refuses writes while it answers: `memory` and `disk` pass when there is room again. */
export interface Refusal {
  limit: 'memory' | 'disk' | 'other'
  /** One or two sentences with the cure. */
  sentence: string
}

/** What an error reply of Redis means for whoever wants to write; null where it is no refusal of writes. */
export function refusalOf(error: unknown): Refusal | null {
  const text = error instanceof Error ? error.message : String(error)
  if (/\bOOM command not allowed/.test(text))
    return {
      limit: 'memory',
      sentence:
        'Redis is full (maxmemory): it takes no writes, and nothing moves. Give it more memory (`CONFIG SET maxmemory`), and it goes on.',
    }
  if (/\bMISCONF\b/.test(text))
    return {
      limit: 'disk',
      sentence: `Redis can't write to its disk and takes no writes: make room where its data folder lies, and it goes on by itself (${brief(text)}).`,
    }
  if (/\bREADONLY\b/.test(text))
    return {
      limit: 'other',
      sentence: 'Redis is a read-only replica: set REDIS_URL to its primary, or wait until the failover is done.',
    }
  if (/\bNOREPLICAS\b/.test(text))
    return { limit: 'other', sentence: 'Redis has too few replicas (min-replicas-to-write) and takes no writes: bring them back.' }
  return null
}

function brief(text: string): string {
  return text.length <= 160 ? text : `${text.slice(0, 159)}…`
}
