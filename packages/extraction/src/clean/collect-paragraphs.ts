import { collapse, type DomDocument, type DomElement } from './dom.ts'
import { readBlocks, type BodyBlocks } from './read-blocks.ts'

/**
 * The plain way to a body, for pages on which the library breaks: the parent whose own paragraphs hold the most text. No scores, no
 * recursion. Null where the page has no paragraph.
 */
export function collectParagraphs(document: DomDocument, base: string | null): BodyBlocks | null {
  const weights = new Map<DomElement, number>()
  for (const paragraph of document.querySelectorAll('p')) {
    const parent = paragraph.parentElement
    if (parent !== null) weights.set(parent, (weights.get(parent) ?? 0) + collapse(paragraph.textContent ?? '').length)
  }
  const [heaviest] = [...weights].toSorted(([, one], [, other]) => other - one)
  return heaviest === undefined ? null : readBlocks(heaviest[0], base)
}
