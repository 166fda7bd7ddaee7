import type { Block, Signals } from '@copydesk/contracts'
import { NO_SIGNALS } from '../clean/read-signals.ts'
import { judgeBody } from '../judge-body.ts'
import { refuse, type Refusal } from '../refusal.ts'
import { isButtons, isChrome } from './chrome.ts'
import { joinLines } from './join-lines.ts'
import { isNumbered, itemsOf, readParts, type Part } from './read-parts.ts'
import { readTop } from './read-top.ts'

const ENDS_SENTENCE = /[.。!?！？…:;,]["'”’»)\]]*$/u
const LONGEST_HEADING = 80
const LONGEST_MENU_ITEM = 40

/**
 * Cleans plain text, such as a page's print view: the headline, then paragraphs between blank lines; what lies around the article (buttons
 * before it, lists of the site's sections after it) is dropped. Paragraphs keep their wording; hard-wrapped ones are joined.
 * Line ends are LF already. Refuses text with no article in it.
 */
export function cleanText(text: string): { title: string | null; blocks: Block[]; signals: Signals } | { refused: Refusal } {
  if (text.trim() === '') return refuse('empty', 'the text is empty')
  const { title, bylines, dateTexts, rest } = readTop(withoutChrome(readParts(text)))
  const blocks = withoutTail(rest.flatMap(toBlocks)).map((block, at, all) => asHeading(block, all[at - 1], all[at + 1]))
  const refusal = judgeBody({ blocks, characters: text.length, linked: 0 })
  if (refusal !== null) return { refused: refusal }
  return { title, blocks, signals: { ...NO_SIGNALS, bylines, dateTexts } }
}

/** Drops parts that are chrome, and lines of buttons from others; a wrapped line that only begins like chrome stays. */
function withoutChrome(parts: readonly Part[]): Part[] {
  return parts
    .filter((part) => part.kind === 'list' || !part.lines.every(isChrome))
    .map((part) => (part.kind === 'list' ? part : { ...part, lines: part.lines.filter((line) => !isButtons(line)) }))
}

function toBlocks(part: Part): Block[] {
  if (part.kind === 'list') return [{ kind: 'list', ordered: isNumbered(part), items: itemsOf(part) }]
  if (part.lines.length > 2 && part.lines.every(isMenuItem))
    return [{ kind: 'list', ordered: false, items: part.lines.map((line) => line.trim()) }]
  return joinLines(part.lines).map((text) => ({ kind: 'paragraph', text }))
}

/** Drops the lists of sections and the short labels over them from the end. A list with sentences in it is the article's own. */
function withoutTail(blocks: readonly Block[]): Block[] {
  const kept = [...blocks]
  let dropped = false
  for (let last = kept.at(-1); last !== undefined; last = kept.at(-1)) {
    const isMenu = last.kind === 'list' && last.items.every(isMenuItem)
    const isLabel = dropped && last.kind === 'paragraph' && isMenuItem(last.text)
    if (!isMenu && !isLabel) break
    kept.pop()
    dropped = true
  }
  return kept
}

function isMenuItem(text: string): boolean {
  return text.trim().length <= LONGEST_MENU_ITEM && !ENDS_SENTENCE.test(text.trim()) && text.trim().split(/\s+/).length <= 5
}

/** A short line that is no sentence, with longer text after it, is a heading inside the article. */
function asHeading(block: Block, before: Block | undefined, after: Block | undefined): Block {
  if (block.kind !== 'paragraph' || before === undefined || after?.kind !== 'paragraph') return block
  const isShort = block.text.length <= LONGEST_HEADING && !ENDS_SENTENCE.test(block.text) && !/["'”’»)]$/u.test(block.text)
  return isShort && after.text.length > block.text.length ? { kind: 'heading', level: 2, text: block.text } : block
}
