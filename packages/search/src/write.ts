import type { Client } from '@elastic/elasticsearch'
import { sendBulk, type Write, type WriteResult } from './bulk.ts'
import { type Fault, passes } from './faults.ts'
import { type GoesOn, MOST_RETRIES, pause } from './patience.ts'

/**
 * Writes documents by bulk requests; a result for each, in order. What was turned away for a reason that passes is sent again, and
 * nothing else: a few times, with pauses, in halves where the server said that it was too much. Never throws.
 */
export async function writePatiently(client: Client, writes: readonly Write[], goesOn: GoesOn): Promise<WriteResult[]> {
  const results: WriteResult[] = []
  let left = [...writes.keys()]
  let size = writes.length
  for (let retry = 0; ; retry += 1) {
    await sendInParts(client, writes, { left, size, results })
    left = left.filter((at) => turnedAway(results[at]!))
    const fault = left.map((at) => faultOf(results[at]!)).find((each) => each !== null)
    if (fault === undefined || retry === MOST_RETRIES || !goesOn(fault)) return results
    if (left.some((at) => faultOf(results[at]!)?.status === 429)) size = Math.ceil(size / 2)
    await pause(retry)
    if (!goesOn()) return results
  }
}

async function sendInParts(
  client: Client,
  writes: readonly Write[],
  { left, size, results }: { left: number[]; size: number; results: WriteResult[] },
): Promise<void> {
  for (let from = 0; from < left.length; from += size) {
    const part = left.slice(from, from + size)
    const answers = await sendBulk(
      client,
      part.map((at) => writes[at]!),
    )
    for (const [nth, at] of part.entries()) results[at] = answers[nth]!
    const lasting = answers.find((answer) => answer.state === 'unavailable' && !passes(answer.fault))
    if (lasting === undefined) continue
    // Silence, a refused connection or a block would only be met again, part after part.
    for (const at of left.slice(from + size)) results[at] = lasting
    return
  }
}

function turnedAway(result: WriteResult): boolean {
  return result.state === 'unavailable' && passes(result.fault)
}

function faultOf(result: WriteResult): Fault | null {
  return 'fault' in result ? result.fault : null
}
