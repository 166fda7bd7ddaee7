import { fetchUrl, isHomePage, sameSite } from '@copydesk/url'
import { firstOf, type Facts, type Rule } from './facts.ts'

/** Where the article's address is chosen. A page's own word is believed only inside its site, and never when it names a home page. */
const RULES: readonly Rule<string>[] = [
  { name: 'link', find: ({ page }) => believed(page.signals.canonical, page.capture.url) },
  {
    name: 'og-url',
    find: ({ page, metas }) => (page.capture.url === null ? null : believed(metas('og:url')[0] ?? null, page.capture.url)),
  },
  { name: 'address', find: ({ page }) => page.capture.url },
  { name: 'bytes', find: ({ page }) => `urn:sha256:${page.bytesHash}` },
]

/** Chooses the canonical URL. Bytes without an address have their own canonical link, else a name made of their hash. */
export function findCanonicalUrl(facts: Facts): { value: string; rule: string } {
  return firstOf(RULES, facts) ?? { value: `urn:sha256:${facts.page.bytesHash}`, rule: 'bytes' }
}

function believed(link: string | null, address: string | null): string | null {
  if (link === null || !URL.canParse(link, address ?? undefined)) return null
  try {
    const url = fetchUrl(new URL(link, address ?? undefined).href)
    if (isHomePage(url)) return null
    return address === null || sameSite(url, address) ? url : null
  } catch {
    // Another scheme, a user name, no host: not an address that anything is filed under.
    return null
  }
}
