import type { Part } from './read-parts.ts'
import { looksLikeByline, looksLikeDateLine } from './top-lines.ts'

const LONGEST_TITLE = 250

/** No line of a wrapped paragraph is longer (join-lines.ts). */
const WIDEST_WRAP = 100

/** Six characters of Chinese, Japanese or Korean are a headline; elsewhere four words are. */
const CJK_HEADLINE = /[\u3040-\u9fff\uac00-\ud7af]{6}/u

export interface Top {
  title: string | null
  bylines: string[]
  dateTexts: string[]
  /** The text, with what stood between headline and first paragraph. */
  rest: Part[]
}

/** Reads what stands before the first paragraph: lists of the site's sections and its name (dropped), the headline, byline and date. */
export function readTop(parts: readonly Part[]): Top {
  const { lines, body } = divide(
    parts.slice(
      Math.max(
        0,
        parts.findIndex((part) => part.kind === 'prose'),
      ),
    ),
  )
  const others = lines.filter((line) => !isCredit(line))
  const title = others.find((line) => line.split(/\s+/).length > 3 || CJK_HEADLINE.test(line)) ?? others[0] ?? null
  const decks = title === null ? [] : others.slice(others.indexOf(title) + 1).filter((line) => line !== title)
  return {
    title,
    bylines: lines.filter(looksLikeByline),
    dateTexts: lines.filter(looksLikeDateLine),
    rest: [...decks.map((line): Part => ({ kind: 'prose', lines: [line] })), ...body],
  }
}

/** Tells the lines above the first paragraph from the parts that follow them. */
function divide(parts: readonly Part[]): { lines: string[]; body: Part[] } {
  const end = parts.findIndex((part) => part.kind === 'list' || !part.lines.every(isTopLine))
  const above = end === -1 ? parts : parts.slice(0, end)
  const [first, ...others] = end === -1 ? [] : parts.slice(end)
  // A part of several lines may begin with the headline and go on with the text.
  const begins = first?.kind === 'prose' ? leadingTopLines(first.lines) : 0
  const lines = [...above.flatMap((part) => part.lines), ...(first?.lines.slice(0, begins) ?? [])].map((line) => line.trim())
  return { lines, body: first === undefined ? [] : [{ ...first, lines: first.lines.slice(begins) }, ...others] }
}

/** A headline, deck, byline or date: short, and no sentence. */
function isTopLine(line: string): boolean {
  const text = line.trim()
  return isCredit(text) || (text.length <= LONGEST_TITLE && !/[.。,;:]["'”’»)\]]*$/u.test(text))
}

/** How many lines of a part stand above its text: a headline with credits under it, or with a line too long to be wrapped. */
function leadingTopLines([first = '', ...others]: readonly string[]): number {
  const text = others.findIndex((line) => !isCredit(line))
  if (!isTopLine(first) || text === -1) return 0
  const isHeadline = text > 0 || (first.length <= WIDEST_WRAP && (others[0]?.length ?? 0) > WIDEST_WRAP)
  return isHeadline ? 1 + text : 0
}

function isCredit(line: string): boolean {
  return looksLikeByline(line.trim()) || looksLikeDateLine(line.trim())
}
