import type { CaptureView, TrailEvent } from '@copydesk/contracts'

/** Prints a capture: what became of it, and its trail. */
export function printCapture(view: CaptureView): void {
  const { captureId, url, outcome, code, stage, duplicateOf, articleId, reason } = view
  console.log(`capture ${captureId}${url ? `  ${url}` : ''}`)
  console.log(`  ${outcome ? `${outcome}${code ? ` (${code})` : ''}` : `under way, at ${stage}`}${reason ? `: ${reason}` : ''}`)
  if (duplicateOf) console.log(`  the same work waited already as ${duplicateOf}`)
  if (articleId) console.log(`  article ${articleId}`)
  for (const event of view.events) console.log(`  ${event.at}  ${eventText(event)}`)
}

function eventText({ event, stage, attempt, ms, outcome, code, reason }: TrailEvent): string {
  const facts = [stage, attempt !== undefined && attempt > 1 && `attempt ${attempt}`, ms !== undefined && `${ms} ms`, outcome, code, reason]
  return [event.padEnd(11), ...facts.filter(Boolean)].join('  ')
}
