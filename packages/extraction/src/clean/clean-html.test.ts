import { expect, test } from 'vitest'
import { cleanHtml } from './clean-html.ts'

const sentence = 'The ferry to the island runs every hour again, after the harbour master had the sand dredged from the channel. '
const paragraphs = `<p>${sentence}</p><p>${sentence.repeat(3)}</p><p>${sentence.repeat(2)}</p>`

function read(
  html: string,
  base: string | null = 'https://courier.example/a/b',
): Exclude<ReturnType<typeof cleanHtml>, { refused: unknown }> {
  const cleaned = cleanHtml(html, base)
  if ('refused' in cleaned) throw new Error(cleaned.refused.evidence)
  return cleaned
}

test('a page on which the library overflows the stack is read the plain way', () => {
  const cleaned = read(`<html><body>${'<div>'.repeat(20_000)}${paragraphs}`)
  expect(cleaned.blocks.map((block) => block.kind)).toEqual(['paragraph', 'paragraph', 'paragraph'])
})

test('a page without html, head or body tags is read whole', () => {
  expect(read(`<!doctype html><title>Ferry</title><h1>Ferry runs again</h1>${paragraphs}`).blocks).toHaveLength(3)
  expect(read(`<html lang=en>${paragraphs}</html>`).signals.htmlLang).toBe('en')
})

test('images are resolved against the base, and tracking pixels are no figures', () => {
  const html = `<html><head><base href="/pictures/"></head><body><article><h1>Ferry</h1>${paragraphs}<img src="ferry.jpg" width="800"><img src="dot.gif" width="1" height="1"><img src="data:image/png;base64,AAAA"></article></body></html>`
  expect(read(html).blocks.filter((block) => block.kind === 'figure')).toEqual([
    { kind: 'figure', image: { url: 'https://courier.example/pictures/ferry.jpg', width: 800 }, caption: null },
  ])
  expect(read(html, null).blocks.filter((block) => block.kind === 'figure')).toEqual([])
})

test('a table that only lays the page out is read through', () => {
  const { blocks } = read(`<html><body><table><tr><td>${paragraphs}</td><td><p>a</p><p>b</p></td></tr></table></body></html>`)
  expect(blocks.filter((block) => block.kind === 'paragraph').length).toBeGreaterThanOrEqual(3)
  expect(blocks.some((block) => block.kind === 'table')).toBe(false)
})

test('signals are capped, whatever a page repeats', () => {
  const many = (html: string): string => html.repeat(3000)
  const { signals } = read(
    `<html><head>${many(`<meta name=a content="${'x'.repeat(5000)}">`)}${many('<script type="application/ld+json">{}</script>')}</head><body><article>${many('<time datetime=2026-01-01>x</time>')}${Array.from({ length: 3000 }, (_, at) => `<span class=byline>By ${at}</span><h1>${at}</h1>`).join('')}${paragraphs}</article></body></html>`,
  )
  expect(signals.metas).toHaveLength(100)
  expect(signals.metas[0]?.content).toHaveLength(2000)
  expect(signals.jsonLd).toHaveLength(10)
  expect(signals.times).toHaveLength(20)
  expect(signals.bylines).toHaveLength(10)
  expect(signals.headings).toHaveLength(10)
})

test('dates and names of other articles on the page are no signals', () => {
  const { signals } = read(
    `<html><body><article><time datetime="2026-03-16">16 March</time>${paragraphs}</article><aside><time datetime="2020-01-01">old</time><span class="byline">By Someone Else</span></aside></body></html>`,
  )
  expect(signals.times.map((time) => time.datetime)).toEqual(['2026-03-16'])
  expect(signals.bylines).toEqual([])
})

test('what has no article in it is refused, with what it was judged on', () => {
  expect(cleanHtml('', null)).toMatchObject({ refused: { code: 'empty' } })
  expect(cleanHtml('<html><body><script>let a</script></body></html>', null)).toMatchObject({ refused: { code: 'empty' } })
  expect(cleanHtml('<html><body><p>Not found.</p></body></html>', null)).toMatchObject({ refused: { code: 'not-article' } })
  const links = `<p>${'<a href="/x">A headline of another page that is quite long</a> '.repeat(12)}</p>`
  expect(cleanHtml(`<html><body><div>${links.repeat(5)}</div></body></html>`, null)).toMatchObject({ refused: { code: 'not-article' } })
})

const PARAGRAPHS = Array.from(
  { length: 4 },
  (_, at) => `<p>Paragraph ${at}: the ferry left the harbour at noon with forty passengers and a goat that nobody had asked for.</p>`,
).join('')

test('a table or a list inside a list item becomes part of the item', () => {
  const list =
    '<ul><li>Scores: <table><tr><td>Harbour</td><td>3</td></tr><tr><td>Mill</td><td>1</td></tr></table></li><li>Crew<ul><li>Ann</li><li>Bo</li></ul></li></ul>'
  const cleaned = cleanHtml(`<html><body><article><h1>Regatta</h1>${PARAGRAPHS}${list}</article></body></html>`, null)
  const lists = 'blocks' in cleaned ? cleaned.blocks.filter(({ kind }) => kind === 'list') : []
  expect(lists).toEqual([{ kind: 'list', ordered: false, items: ['Scores: Harbour 3 Mill 1', 'Crew Ann Bo'] }])
})

test('an article is kept whatever is nested below it', () => {
  const nested = `${'<ul><li>'.repeat(1000)}deep${'</li></ul>'.repeat(1000)}`
  const cleaned = cleanHtml(`<html><body><article><h1>Regatta</h1>${PARAGRAPHS}</article>${nested}</body></html>`, null)
  expect(cleaned).toMatchObject({ blocks: expect.arrayContaining([expect.objectContaining({ kind: 'paragraph' })]) })
})
