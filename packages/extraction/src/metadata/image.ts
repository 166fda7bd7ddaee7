import type { Image } from '@copydesk/contracts'
import { firstOf, type Facts, type Rule } from './facts.ts'
import { isObject, listOf, numberOf, textsOf } from './json-ld.ts'

/** Where the lead image is chosen. */
const RULES: readonly Rule<Image>[] = [
  {
    name: 'og-image',
    find: ({ page, metas }) =>
      toImage(page.capture.url, metas('og:image:secure_url', 'og:image', 'og:image:url')[0], {
        width: metas('og:image:width')[0],
        height: metas('og:image:height')[0],
        alt: metas('og:image:alt')[0],
      }),
  },
  { name: 'json-ld', find: fromJsonLd },
  {
    name: 'twitter-image',
    find: ({ page, metas }) =>
      toImage(page.capture.url, metas('twitter:image', 'twitter:image:src')[0], { alt: metas('twitter:image:alt')[0] }),
  },
  {
    name: 'first-figure',
    find: ({ page }) => page.blocks.flatMap((block) => (block.kind === 'figure' && block.image !== null ? [block.image] : []))[0] ?? null,
  },
]

/** Chooses the lead image; null where the page has none with a web address. */
export function findImage(facts: Facts): { value: Image; rule: string } | null {
  return firstOf(RULES, facts)
}

function fromJsonLd({ page, article }: Facts): Image | null {
  const [image] = listOf(article['image'])
  const object = isObject(image) ? image : {}
  return toImage(page.capture.url, textsOf(image, 'url')[0], {
    width: object['width'],
    height: object['height'],
    caption: textsOf(object['caption'])[0],
  })
}

function toImage(
  base: string | null,
  source: string | undefined,
  facts: { width?: unknown; height?: unknown; alt?: string | undefined; caption?: string | undefined },
): Image | null {
  if (source === undefined || !URL.canParse(source, base ?? undefined)) return null
  const url = new URL(source, base ?? undefined)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return null
  const [width, height] = [numberOf(facts.width), numberOf(facts.height)]
  return {
    url: url.href,
    ...(width !== null && { width }),
    ...(height !== null && { height }),
    ...(facts.alt !== undefined && { alt: facts.alt }),
    ...(facts.caption !== undefined && { caption: facts.caption }),
  }
}
