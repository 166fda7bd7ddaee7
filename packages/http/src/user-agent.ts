/** How Copydesk names itself: its version, and where its operator can be reached (a URL or a mail address). */
export function userAgent(version: string, contact?: string): string {
  return `Mozilla/5.0 (compatible; Copydesk/${version}${contact === undefined ? '' : `; +${contact}`})`
}
