import { parseHTML } from 'linkedom'

/** The little of the DOM that reading a page takes. The compiler knows no browser types here, and the parser below is to be replaced. */
export interface DomNode {
  readonly nodeType: number
  readonly nodeValue: string | null
  readonly textContent: string | null
  readonly childNodes: Iterable<DomNode>
}

export interface DomElement extends DomNode {
  /** Upper case for HTML. */
  readonly tagName: string
  readonly children: Iterable<DomElement>
  readonly parentElement: DomElement | null
  getAttribute(name: string): string | null
  closest(selector: string): DomElement | null
  querySelector(selector: string): DomElement | null
  querySelectorAll(selector: string): Iterable<DomElement>
  append(...nodes: DomNode[]): void
}

export interface DomDocument extends Pick<DomElement, 'querySelector' | 'querySelectorAll'> {
  readonly documentElement: DomElement
  readonly head: DomElement
  readonly body: DomElement
}

export const ELEMENT = 1
export const TEXT = 3

/** Parses a page, whatever of html, head and body it leaves out: this parser adds none of them itself. */
export function parsePage(html: string): DomDocument {
  const whole = /<html[\s>]/i.test(html) ? html : `<!doctype html><html><head></head><body>${html}</body></html>`
  const { document } = parseHTML(whole) as unknown as { document: DomDocument }
  const { documentElement } = document
  const own = [...documentElement.children].find(({ tagName }) => tagName === 'BODY')
  const { head } = document
  // Of a page that leaves its head out, what stands before the body is the head. Where more than the head does, the parser makes another body.
  const home = own === undefined ? document.body : head
  for (const node of [...documentElement.childNodes]) {
    if (node === own) break
    if (node !== home && node !== head) home.append(node)
  }
  return document
}

/** An element's text with white space collapsed. */
export function textOf(node: DomNode): string {
  return collapse(node.textContent ?? '')
}

/** White space (no-break spaces too) becomes single spaces; soft hyphens and zero-width spaces go. */
export function collapse(text: string): string {
  return text
    .replace(/[\u00ad\u200b\ufeff]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** Tells whether elements lie more than so many levels deep in each other. */
export function isDeeperThan(limit: number, document: DomDocument): boolean {
  let level: DomElement[] = [document.documentElement]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true
    level = level.flatMap((element) => [...element.children])
  }
  return false
}
