import type { Block } from '@copydesk/contracts'
import { countWords } from './count-words.ts'
import { refuse, type Refusal } from './refusal.ts'

/** Fewer words than the shortest news flash: a notice, an error, a menu. */
const MIN_WORDS = 25

/** Above this share of its text inside links, and with less than this beside them (in characters), a body is a list of other pages. */
const MAX_LINKED = 0.6
const ENOUGH_UNLINKED = 1000

/** Says why blocks are no article, or null where they are one. Here a page that has text is refused. */
export function judgeBody(body: { blocks: readonly Block[]; characters: number; linked: number }): Refusal | null {
  const prose = body.blocks.flatMap((block) =>
    block.kind === 'paragraph' || block.kind === 'quote' || block.kind === 'list' ? [proseOf(block)] : [],
  )
  const words = countWords(prose.join('\n'), MIN_WORDS)
  if (words < MIN_WORDS) return refuse('not-article', `${words} words of running text; an article has at least ${MIN_WORDS}`).refused
  if (!body.blocks.some((block) => block.kind === 'paragraph' || block.kind === 'quote')) {
    return refuse('not-article', 'only lists, no paragraph').refused
  }
  const share = body.linked / Math.max(1, body.characters)
  if (share > MAX_LINKED && body.characters - body.linked < ENOUGH_UNLINKED) {
    return refuse('not-article', `${Math.round(share * 100)} % of the text is links`).refused
  }
  return null
}

function proseOf(block: Extract<Block, { kind: 'paragraph' | 'quote' | 'list' }>): string {
  return block.kind === 'list' ? block.items.join('\n') : block.text
}
