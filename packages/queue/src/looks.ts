import { CaptureId, Code, StageName, type Envelope } from '@copydesk/contracts'
import { readEnvelope, segmentOf } from './envelope.ts'
import type { ScriptRunner } from './scripts.ts'

/** Where a capture stands: `neither` where it has ended otherwise, or is not known. */
export type CaptureState = 'in-flight' | 'dead' | 'neither'

/** A dead letter as the registry has it. */
export interface DeadLetter {
  captureId: CaptureId
  /** When it failed (ms since 1970). */
  at: number
  stage: StageName
  code: Code
  cause: string
  envelope: Envelope
}

const BATCH = 500

/** What the registry tells without changing anything. Each throws EpochError where Redis is another: that nothing is under way there means nothing. */
export function createLooks(scripts: ScriptRunner<'all' | 'entries' | 'failures' | 'failure'>) {
  async function entries(captureIds: readonly CaptureId[]) {
    const found: { captureId: CaptureId; stage: string; dead: string; env: string }[] = []
    for (let from = 0; from < captureIds.length; from += BATCH) {
      const ids = captureIds.slice(from, from + BATCH)
      const [, ...words] = await scripts.run('entries', '', ...ids)
      for (const [at, captureId] of ids.entries())
        found.push({ captureId, stage: words[at * 3] ?? '', dead: words[at * 3 + 1] ?? '', env: words[at * 3 + 2] ?? '' })
    }
    return found
  }

  return {
    /**
     * The segments that entries in flight and dead letters refer to. What an entry comes to refer to while this looks is younger than the look:
     * whoever removes by age must keep what is younger than that anyway.
     */
    async references(): Promise<Set<string>> {
      const [, ...ids] = await scripts.run('all', '')
      const segments = new Set<string>()
      for (const { env } of await entries(ids.map((id) => CaptureId.parse(id)))) {
        const segment = env === '' ? undefined : segmentOf(env)
        if (segment !== undefined) segments.add(segment)
      }
      return segments
    },

    /** Where each of these captures stands. */
    async states(captureIds: readonly CaptureId[]): Promise<Map<CaptureId, CaptureState>> {
      const stateOf = ({ stage, dead }: { stage: string; dead: string }): CaptureState =>
        stage === '' ? 'neither' : dead === '' ? 'in-flight' : 'dead'
      return new Map((await entries(captureIds)).map((entry) => [entry.captureId, stateOf(entry)]))
    },

    /** A page of dead letters, oldest first; `after` is the last one shown, and when it failed. */
    async failures(size: number, after: { at: number; captureId: CaptureId } | null): Promise<{ total: number; letters: DeadLetter[] }> {
      const [, total, ...words] = await scripts.run('failures', '', size, after?.at ?? '', after?.captureId ?? '')
      const letters = Array.from({ length: words.length / 6 }, (_, index) => toLetter(words.slice(index * 6, index * 6 + 6)))
      return { total: Number(total), letters }
    },

    /** One dead letter; null where it is none. */
    async failure(captureId: CaptureId): Promise<DeadLetter | null> {
      const [, ...words] = await scripts.run('failure', captureId)
      return words.length === 0 ? null : toLetter(words)
    },
  }
}

function toLetter([id, at, stage, code, cause, env]: string[]): DeadLetter {
  const captureId = CaptureId.parse(id)
  return {
    captureId,
    at: Number(at),
    stage: StageName.parse(stage),
    // A letter of a Redis that came back older may lack its code.
    code: Code.catch('internal').parse(code),
    cause: cause ?? '',
    envelope: readEnvelope(env, captureId).envelope,
  }
}
