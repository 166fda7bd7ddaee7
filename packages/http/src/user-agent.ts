import { readFileSync } from 'node:fs'

/** How Copydesk names itself: its version (the repository's own unless told), and where its operator can be reached, a URL or a mail address. */
export function userAgent(contact?: string, version: string = ownVersion()): string {
  return `Mozilla/5.0 (compatible; Copydesk/${version}${contact ? `; +${contact}` : ''})`
}

function ownVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
