import { isUtf8 } from 'node:buffer'

/** The head of an answer: headers as they came, in order. */
export interface Head {
  status: number
  statusText: string
  headers: [name: string, value: string][]
}

/** Makes a head of undici's raw list: name, value, name, value, …. */
export function toHead(status: number, statusText: string, raw: readonly string[]): Head {
  const headers: Head['headers'] = []
  for (let at = 0; at + 1 < raw.length; at += 2) headers.push([raw[at] ?? '', raw[at + 1] ?? ''])
  return { status, statusText, headers }
}

/** The first header of that name (lower case), or null. */
export function header(head: Head, name: string): string | null {
  return head.headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? null
}

/** Every header of that name, joined as RFC 9110, 5.3 has it, or null. */
export function joined(head: Head, name: string): string | null {
  const values = head.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  return values.length === 0 ? null : values.join(', ')
}

/** The content-encodings in the order they were applied, in lower case. */
export function contentEncoding(head: Head): string[] {
  return (joined(head, 'content-encoding') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity')
}

/** What the answer says its body's length is; null when it doesn't, or doesn't say it plainly. */
export function contentLength(head: Head): number | null {
  const text = header(head, 'content-length') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : null
}

/** `Location` as servers mean it: header bytes come as Latin-1, addresses in them are UTF-8 more often than not. */
export function location(head: Head): string | null {
  const text = header(head, 'location')
  if (text === null) return null
  const bytes = Buffer.from(text, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : text
}
