import type { Block, Signals } from '@copydesk/contracts'
import { looksLikeByline, looksLikeDateLine } from '../text/top-lines.ts'

/** How many blocks the lines under a headline take up at most. */
const TOP_BLOCKS = 5

const LABELS = /\b(?:by|published|updated|posted|on|at)\b|[\s|·•,:–—-]+/giu

/** Takes headline, byline and date off the beginning of a body: they are fields of the article, not its text. */
export function withoutTop(blocks: readonly Block[], title: string | null, signals: Signals): Block[] {
  const titles = [title, ...signals.headings].map((text) => text?.toLowerCase())
  const said = [...signals.bylines, ...signals.dateTexts, ...signals.times.map((time) => time.text)].filter((text) => text !== '')
  return blocks.filter((block, at) => {
    if (at >= TOP_BLOCKS) return true
    if (block.kind === 'heading') return !titles.includes(block.text.toLowerCase())
    return block.kind !== 'paragraph' || !isTopLine(block.text, said)
  })
}

function isTopLine(text: string, said: readonly string[]): boolean {
  if (looksLikeDateLine(text) || looksLikeByline(text)) return true
  const rest = said.reduce((left, part) => left.replaceAll(part, ' '), text)
  return rest !== text && rest.replace(LABELS, '') === ''
}
