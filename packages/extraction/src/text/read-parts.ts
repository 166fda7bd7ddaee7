/** A run of lines between blank ones, or the bullets in it. */
export interface Part {
  kind: 'prose' | 'list'
  lines: string[]
}

/** Bullets that begin nothing but list items. */
const BULLET = /^\s*[•‣◦▪●∙·*]\s+/u

/** Dashes also begin spoken lines (French, Spanish, Polish), and numbers begin sentences: one alone is no list. */
const WEAK_BULLET = /^\s*(?:[-–—]|\d{1,3}[.)])\s+/u

/** Divides text into parts at blank lines, and where bullets begin or end. Lines lose their trailing white space. */
export function readParts(text: string): Part[] {
  return text
    .split(/\n[^\S\n]*\n/)
    .map((chunk) =>
      chunk
        .split('\n')
        .map((line) => line.trimEnd())
        .filter((line) => line !== ''),
    )
    .filter((lines) => lines.length > 0)
    .flatMap(divide)
}

function divide(lines: string[]): Part[] {
  const weak = lines.filter((line) => WEAK_BULLET.test(line)).length > 1
  const isItem = (line: string): boolean => BULLET.test(line) || (weak && WEAK_BULLET.test(line))
  const parts: Part[] = []
  for (const line of lines) {
    const last = parts.at(-1)
    const kind = isItem(line) || (last?.kind === 'list' && continuesItem(line, last)) ? 'list' : 'prose'
    if (last?.kind === kind) last.lines.push(line)
    else parts.push({ kind, lines: [line] })
  }
  return parts
}

/** A wrapped item goes on indented deeper than its bullet. */
function continuesItem(line: string, list: Part): boolean {
  const bullet = list.lines.findLast((item) => BULLET.test(item) || WEAK_BULLET.test(item)) ?? ''
  return indentOf(line) > indentOf(bullet)
}

/** The items of a list part, without their bullets, wrapped ones joined. */
export function itemsOf(part: Part): string[] {
  const items: string[] = []
  for (const line of part.lines) {
    const bullet = BULLET.exec(line) ?? WEAK_BULLET.exec(line)
    if (bullet !== null) items.push(line.slice(bullet[0].length).trim())
    else items.push(`${items.pop() ?? ''} ${line.trim()}`.trim())
  }
  return items.filter((item) => item !== '')
}

/** Whether a list's items are numbered. */
export function isNumbered(part: Part): boolean {
  return /^\s*\d/.test(part.lines[0] ?? '')
}

export function indentOf(line: string): number {
  return line.length - line.trimStart().length
}
