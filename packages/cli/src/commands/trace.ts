import { CaptureId, CaptureView, UrlView } from '@copydesk/contracts'
import { hideUserinfo } from '@copydesk/url'
import { createApiClient, Refused } from '../client/api.ts'
import { COULD_NOT_RUN, DONE } from '../exit-codes.ts'
import { CannotRun } from '../local/cannot-run.ts'
import { printCapture } from '../print-capture.ts'

/** Says where a capture, or the last captures of an address, went. Resolves to the exit code. */
export async function trace(what: string, options: { json?: boolean }): Promise<number> {
  if (what === '') throw new CannotRun('trace needs the captureId that ingest printed, or an address')
  const api = createApiClient()
  try {
    if (CaptureId.safeParse(what).success) {
      const view = await api.get(CaptureView, `/captures/${what}`)
      if (options.json) console.log(JSON.stringify(view))
      else printCapture(view)
      return DONE
    }
    const view = await api.get(UrlView, '/urls', { url: what })
    if (options.json) console.log(JSON.stringify(view))
    else printUrl(view)
    return view.captures.length > 0 ? DONE : COULD_NOT_RUN
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    console.error(`copydesk: ${hideUserinfo(what)}: ${error.message}`)
    return COULD_NOT_RUN
  }
}

function printUrl({ url, articleId, captures }: UrlView): void {
  if (captures.length === 0) console.error(`copydesk: ${url}: nothing is known of this address: it was never taken in here, or long ago`)
  else console.log(`${url}${articleId ? `\narticle ${articleId}` : ''}`)
  for (const view of captures) {
    console.log('')
    printCapture(view)
  }
}
