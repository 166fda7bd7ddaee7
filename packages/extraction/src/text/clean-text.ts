import type { Block, Signals } from '@copydesk/contracts'
import { NO_SIGNALS } from '../clean/read-signals.ts'
import { judgeBody } from '../judge-body.ts'
import { refuse, type Refusal } from '../refusal.ts'
import { isButtons, isChrome } from './chrome.ts'
import { joinLines } from './join-lines.ts'
import { isNumbered, itemsOf, readParts, type Part } from './read-parts.ts'
import { looksLikeByline, looksLikeDateLine } from './top-lines.ts'

const ENDS_SENTENCE = /[.。!?！？…:;,]["'”’»)\]]*$/u
const LONGEST_TITLE = 250
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

interface Top {
  title: string | null
  bylines: string[]
  dateTexts: string[]
  rest: Part[]
}

/** Reads what stands before the first paragraph: lists of the site's sections (dropped), the headline, byline and date. */
function readTop(parts: readonly Part[]): Top {
  const start = parts.findIndex((part) => part.kind === 'prose')
  const top: Top = { title: null, bylines: [], dateTexts: [], rest: [] }
  const prose = start === -1 ? [] : parts.slice(start)
  const end = prose.findIndex((part) => part.kind === 'list' || !part.lines.every(isTopLine))
  const lines = prose.slice(0, end === -1 ? prose.length : end).flatMap((part) => part.lines.map((line) => line.trim()))
  // A part of several lines may begin with the headline and go on with the text.
  const mixed = end === -1 ? undefined : prose[end]
  const begins = mixed?.kind === 'prose' ? leadingTopLines(mixed.lines) : 0
  lines.push(...(mixed?.lines.slice(0, begins).map((line) => line.trim()) ?? []))
  const body = end === -1 ? [] : prose.slice(end).map((part, at) => (at === 0 ? { ...part, lines: part.lines.slice(begins) } : part))

  const decks: string[] = []
  const named = lines.filter((line) => !looksLikeByline(line) && !looksLikeDateLine(line))
  const title = named.find((line) => line.split(/\s+/).length > 3 || /[\u3040-\u9fff\uac00-\ud7af]{6}/u.test(line)) ?? named[0] ?? null
  for (const line of lines) {
    if (looksLikeByline(line)) top.bylines.push(line)
    else if (looksLikeDateLine(line)) top.dateTexts.push(line)
    else if (line !== title && title !== null && lines.indexOf(line) > lines.indexOf(title)) decks.push(line)
  }
  top.title = title
  top.rest = [...decks.map((line): Part => ({ kind: 'prose', lines: [line] })), ...body]
  return top
}

/** A headline, deck, byline or date: short, and no sentence. */
function isTopLine(line: string): boolean {
  const text = line.trim()
  return looksLikeByline(text) || looksLikeDateLine(text) || (text.length <= LONGEST_TITLE && !/[.。,;:]["'”’»)\]]*$/u.test(text))
}

/** How many lines of a part of several stand above its text: only whole headlines, not the first line of a wrapped paragraph. */
function leadingTopLines(lines: readonly string[]): number {
  const [first, second] = lines
  if (first === undefined || second === undefined || !isTopLine(first)) return 0
  if (!looksLikeByline(second) && !looksLikeDateLine(second) && !(second.length > 100 && first.length <= 100)) return 0
  return 1 + lines.slice(1).findIndex((line) => !looksLikeByline(line) && !looksLikeDateLine(line))
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
