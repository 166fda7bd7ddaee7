import { type Block, blockText, type Image } from '@copydesk/contracts'
import { collapse, ELEMENT, TEXT, textOf, type DomElement, type DomNode } from './dom.ts'

/** Elements that begin and end a run of text; all others are part of one. */
const BLOCK_LEVEL = new Set(
  'ADDRESS ARTICLE ASIDE BODY CENTER DD DETAILS DIV DL DT FIELDSET FIGCAPTION FOOTER FORM HEADER HGROUP HR HTML LI MAIN NAV P SECTION SUMMARY TABLE TBODY TD TFOOT TH THEAD TR'.split(
    ' ',
  ),
)
const LEFT_OUT = new Set(
  'AUDIO BUTTON CANVAS EMBED HEAD IFRAME INPUT LINK MATH META NOSCRIPT OBJECT SCRIPT SELECT STYLE SVG TEMPLATE TEXTAREA TITLE VIDEO'.split(
    ' ',
  ),
)

/** Stands for a `<br>` while white space is collapsed; no page's text has it after decoding of its own accord. */
const BREAK = '\u0001'

/** Deeper than any article; what lies below is read as one run of text, so that no stack overflows. */
const MAX_DEPTH = 400

export interface BodyBlocks {
  blocks: Block[]
  /** Characters of text in all, and those inside links: a page of links is no article. */
  characters: number
  linked: number
}

/** Reads an element's content as blocks in reading order. `base` is the address that image links are resolved against, or null. */
export function readBlocks(root: DomNode, base: string | null): BodyBlocks {
  const reader = { blocks: [] as Block[], run: '', quoted: false, characters: 0, linked: 0, base }
  visit(root, reader, { depth: 0, inLink: false })
  flush(reader)
  const { blocks, characters, linked } = reader
  return { blocks, characters, linked }
}

interface Reader extends BodyBlocks {
  /** Text since the last border. */
  run: string
  quoted: boolean
  base: string | null
}

function visit(node: DomNode, reader: Reader, place: { depth: number; inLink: boolean }): void {
  if (node.nodeType === TEXT) return addText(node.nodeValue ?? '', reader, place.inLink)
  if (node.nodeType !== ELEMENT) return
  const element = node as DomElement
  const tag = element.tagName.toUpperCase()
  if (LEFT_OUT.has(tag)) return
  if (tag === 'BR') reader.run += BREAK
  else if (place.depth > MAX_DEPTH) addText(element.textContent ?? '', reader, place.inLink)
  else if (!readSpecial(element, tag, reader, place)) readChildren(element, tag, reader, place)
}

function readChildren(element: DomElement, tag: string, reader: Reader, place: { depth: number; inLink: boolean }): void {
  const border = BLOCK_LEVEL.has(tag)
  if (border) flush(reader)
  const inside = { depth: place.depth + 1, inLink: place.inLink || tag === 'A' }
  for (const child of element.childNodes) visit(child, reader, inside)
  if (border) flush(reader)
}

/** Reads the elements that become blocks of their own kind; false for all others. */
function readSpecial(element: DomElement, tag: string, reader: Reader, place: { depth: number; inLink: boolean }): boolean {
  if (/^H[1-6]$/.test(tag)) return push(reader, { kind: 'heading', level: Number(tag[1]), text: countedText(element, reader) })
  switch (tag) {
    case 'UL':
    case 'OL':
      return push(reader, { kind: 'list', ordered: tag === 'OL', items: listItems(element, reader, place) })
    case 'BLOCKQUOTE':
      return readQuote(element, reader, place)
    case 'PRE':
      return push(reader, { kind: 'code', text: (element.textContent ?? '').replace(/^\n+|\s+$/g, '') })
    case 'TABLE':
      return readTable(element, reader)
    case 'FIGURE':
      return readFigure(element, reader)
    case 'IMG':
      return readImage(element, reader)
    default:
      return false
  }
}

function addText(text: string, reader: Reader, inLink: boolean): void {
  reader.run += text.replaceAll(BREAK, ' ')
  const length = collapse(text).length
  reader.characters += length
  if (inLink) reader.linked += length
}

/** Ends a run of text. Two `<br>` in a row end a paragraph, a single one is a space. */
function flush(reader: Reader): void {
  const { run } = reader
  reader.run = ''
  if (run.trim() === '') return
  // oxlint-disable-next-line no-control-regex -- BREAK is one
  for (const part of run.split(/\u0001(?:\s*\u0001)+/)) {
    const text = collapse(part.replaceAll(BREAK, ' '))
    if (text !== '') reader.blocks.push({ kind: reader.quoted ? 'quote' : 'paragraph', text })
  }
}

function push(reader: Reader, block: Block): true {
  flush(reader)
  if (block.kind === 'list' ? block.items.length > 0 : !('text' in block) || block.text !== '') reader.blocks.push(block)
  return true
}

function readQuote(element: DomElement, reader: Reader, place: { depth: number; inLink: boolean }): true {
  flush(reader)
  const outer = reader.quoted
  reader.quoted = true
  for (const child of element.childNodes) visit(child, reader, { ...place, depth: place.depth + 1 })
  flush(reader)
  reader.quoted = outer
  return true
}

function listItems(list: DomElement, reader: Reader, place: { depth: number; inLink: boolean }): string[] {
  const items: string[] = []
  for (const item of list.children) {
    if (item.tagName.toUpperCase() !== 'LI') continue
    // What is inside, lists and tables too, becomes part of the item: its own block borders are kept as spaces.
    const inner: Reader = { ...reader, blocks: [], run: '', quoted: false, characters: 0, linked: 0 }
    visit(item, inner, { ...place, depth: place.depth + 1 })
    flush(inner)
    reader.characters += inner.characters
    reader.linked += inner.linked
    const text = collapse(inner.blocks.map((block) => blockText(block) ?? '').join(' '))
    if (text !== '') items.push(text)
  }
  return items
}

/** A table of data becomes rows; one that only lays a page out (one column, or cells with blocks in them) is read through. */
function readTable(table: DomElement, reader: Reader): boolean {
  const rows = [...table.querySelectorAll('tr')].map((row) => [...row.children].filter((cell) => /^T[DH]$/i.test(cell.tagName)))
  const isLayout = table.querySelector('table, p + p, ul, ol, h1, h2, h3, blockquote') !== null || !rows.some((row) => row.length > 1)
  if (isLayout) return false
  const cells = rows.map((row) => row.map((cell) => countedText(cell, reader))).filter((row) => row.some((cell) => cell !== ''))
  return cells.length === 0 ? true : push(reader, { kind: 'table', rows: cells })
}

function readFigure(figure: DomElement, reader: Reader): boolean {
  // Some sites put whole tables and quotes into figures: those are read through.
  if (figure.querySelector('table, blockquote, pre, ul, ol, p + p') !== null) return false
  const element = figure.querySelector('img')
  const captionElement = figure.querySelector('figcaption')
  const caption = captionElement === null ? null : textOf(captionElement) || null
  const image = element === null ? null : toImage(element, reader.base)
  if (image === null && caption === null) return true
  return push(reader, { kind: 'figure', image: image === null || caption === null ? image : { ...image, caption }, caption })
}

function readImage(element: DomElement, reader: Reader): true {
  const image = toImage(element, reader.base)
  return image === null ? true : push(reader, { kind: 'figure', image, caption: null })
}

function toImage(element: DomElement, base: string | null): Image | null {
  const source = element.getAttribute('src') ?? ''
  const url = URL.canParse(source, base ?? undefined) ? new URL(source, base ?? undefined) : null
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null
  const [width, height] = [size(element, 'width'), size(element, 'height')]
  // Counters of visits, not pictures.
  if ((width ?? 99) < 3 || (height ?? 99) < 3) return null
  const alt = collapse(element.getAttribute('alt') ?? '')
  return { url: url.href, ...(width !== null && { width }), ...(height !== null && { height }), ...(alt !== '' && { alt }) }
}

function size(element: DomElement, name: string): number | null {
  const value = element.getAttribute(name)?.match(/^\s*(\d{1,5})(?:px)?\s*$/)?.[1]
  return value === undefined ? null : Number(value)
}

function countedText(element: DomElement, reader: Reader): string {
  const text = textOf(element)
  reader.characters += text.length
  for (const link of element.querySelectorAll('a')) reader.linked += textOf(link).length
  return text
}
