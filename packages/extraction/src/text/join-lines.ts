import { indentOf } from './read-parts.ts'

/** Mail and terminals wrap at 60 to 80 columns, few at more than this: a longer line is a paragraph of its own. */
const WIDEST_WRAP = 100

const ENDS_SENTENCE = /[.!?…。！？]["'”’»)\]]*$/u
const CJK_END = /[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]$/u
const CJK_START = /^[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]/u

/** Joins the lines of hard-wrapped paragraphs, and keeps apart those that each are one. Wording stays as it is. */
export function joinLines(lines: readonly string[]): string[] {
  const width = lines.reduce((widest, line) => Math.max(widest, line.length), 0)
  // Pieces are joined at the end: a paragraph that grows line by line would be read again at each of them.
  const paragraphs: string[][] = []
  for (const [at, line] of lines.entries()) {
    const before = lines[at - 1]
    const last = paragraphs.at(-1)
    if (last === undefined || before === undefined || isBorder(before, line, width)) paragraphs.push([line.trim()])
    else last.push(separator(before.trim(), line.trim()), line.trim())
  }
  return paragraphs.map((pieces) => pieces.join(''))
}

function isBorder(before: string, line: string, width: number): boolean {
  if (before.length > WIDEST_WRAP || line.length > WIDEST_WRAP) return true
  if (indentOf(line) > indentOf(before) && ENDS_SENTENCE.test(before)) return true
  return ENDS_SENTENCE.test(before) && before.length < width * 0.6
}

/** Chinese and Japanese have no spaces to put back. */
function separator(before: string, line: string): string {
  return CJK_END.test(before) && CJK_START.test(line) ? '' : ' '
}
