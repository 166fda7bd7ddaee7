/** One document of a bulk request, as it was sent. */
export interface BulkItem {
  action: string
  document: Record<string, unknown>
  captureId: string
}

/** The documents of a bulk request: an action and a document line each. */
export function readBulk(body: Buffer): BulkItem[] {
  const lines = body.toString().split('\n').filter(Boolean)
  return Array.from({ length: lines.length / 2 }, (_, at) => {
    const document = JSON.parse(lines[at * 2 + 1]!) as Record<string, unknown>
    return { action: lines[at * 2]!, document, captureId: String(document['captureId']) }
  })
}

/** The body of a bulk request of these documents. */
export function writeBulk(items: readonly BulkItem[]): Buffer {
  return Buffer.from(items.map(({ action, document }) => `${action}\n${JSON.stringify(document)}\n`).join(''))
}

/** Puts answers for the documents that the server never saw between those that it gave, in the order of the request. */
export function spliceAnswer(
  text: string,
  items: readonly BulkItem[],
  refused: readonly (number | null)[],
  names: Record<number, string>,
): string {
  if (!refused.some(Boolean)) return text
  const real = JSON.parse(text) as { items: object[] }
  let next = 0
  const all = items.map((_item, at) => {
    const status = refused[at]
    if (!status) return real.items[next++]
    return { index: { status, error: { type: names[status] ?? 'proxy', reason: 'by the drill' } } }
  })
  return JSON.stringify({ ...real, errors: true, items: all })
}
