import type { Signals } from '@copydesk/contracts'
import { collapse, textOf, type DomDocument, type DomElement } from './dom.ts'

/** A page may repeat anything without end: every list has a cap, every text a length in characters. */
const CAPS = {
  metas: 100,
  content: 2000,
  jsonLd: 10,
  jsonLdLength: 64 * 1024,
  headings: 10,
  times: 20,
  bylines: 10,
  dateTexts: 10,
  text: 300,
  label: 120,
}

/** Menus and feet, and lists of other articles: their dates and names are not this article's. */
const ELSEWHERE = 'nav, footer, aside, [class*=related], [class*=recommend], [class*=comment], [id*=comment]'

const BYLINE = '[rel~=author], [itemprop~=author], [class*=byline], [class*=Byline], [class~=author], [class*=author-name], address'
const DATE_TEXT = '[class*=date], [class*=Date], [class*=publish], [class*=posted], [class*=timestamp], [class*=updated]'

/** Reads what the markup says outside the body, before anything is cut from the document. */
export function readSignals(document: DomDocument): Signals {
  const html = document.documentElement
  return {
    htmlLang: short(html.getAttribute('lang') ?? html.getAttribute('xml:lang'), CAPS.label),
    title: short(textOrNull(document.querySelector('title')), CAPS.text),
    headings: texts(document, 'h1', CAPS.headings, CAPS.text),
    metas: readMetas(document),
    jsonLd: readJsonLd(document),
    canonical: short(document.querySelector('link[rel~=canonical]')?.getAttribute('href') ?? null, CAPS.content),
    times: readTimes(document),
    bylines: texts(document, BYLINE, CAPS.bylines, CAPS.label),
    dateTexts: texts(document, DATE_TEXT, CAPS.dateTexts, CAPS.label),
  }
}

/** Signals of a page that has none: plain text. */
export const NO_SIGNALS: Signals = {
  htmlLang: null,
  title: null,
  headings: [],
  metas: [],
  jsonLd: [],
  canonical: null,
  times: [],
  bylines: [],
  dateTexts: [],
}

function readMetas(document: DomDocument): Signals['metas'] {
  const metas: Signals['metas'] = []
  for (const meta of document.querySelectorAll('meta[content]')) {
    if (metas.length === CAPS.metas) break
    const name =
      meta.getAttribute('property') ?? meta.getAttribute('name') ?? meta.getAttribute('itemprop') ?? meta.getAttribute('http-equiv')
    const content = collapse(meta.getAttribute('content') ?? '')
    if (name !== null && content !== '')
      metas.push({ name: name.trim().toLowerCase().slice(0, CAPS.label), content: content.slice(0, CAPS.content) })
  }
  return metas
}

function readJsonLd(document: DomDocument): string[] {
  const scripts: string[] = []
  for (const script of document.querySelectorAll('script[type="application/ld+json" i]')) {
    const text = script.textContent ?? ''
    // A part of JSON is no JSON: too long a script is left out whole.
    if (text.trim() !== '' && text.length <= CAPS.jsonLdLength) scripts.push(text)
    if (scripts.length === CAPS.jsonLd) break
  }
  return scripts
}

function readTimes(document: DomDocument): Signals['times'] {
  const times: Signals['times'] = []
  for (const time of document.querySelectorAll('time')) {
    if (times.length === CAPS.times) break
    if (time.closest(ELSEWHERE) !== null) continue
    const text = textOf(time).slice(0, CAPS.label)
    times.push({ datetime: (time.getAttribute('datetime') ?? text).slice(0, CAPS.label), text, itemprop: time.getAttribute('itemprop') })
  }
  return times
}

function texts(document: DomDocument, selector: string, most: number, longest: number): string[] {
  const found = new Set<string>()
  for (const element of document.querySelectorAll(selector)) {
    if (found.size === most) break
    if (element.closest(ELSEWHERE) !== null) continue
    const text = textOf(element)
    // Longer than that, it is a box around the thing, not the thing.
    if (text !== '' && text.length <= longest) found.add(text)
  }
  return [...found]
}

function textOrNull(element: DomElement | null): string | null {
  return element === null ? null : textOf(element)
}

function short(text: string | null, longest: number): string | null {
  const collapsed = collapse(text ?? '').slice(0, longest)
  return collapsed === '' ? null : collapsed
}
