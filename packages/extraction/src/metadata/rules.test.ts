import type { CleanedPage, Signals } from '@copydesk/contracts'
import { expect, test } from 'vitest'
import { NO_SIGNALS } from '../clean/read-signals.ts'
import { findAuthors } from './authors.ts'
import { findCanonicalUrl } from './canonical-url.ts'
import { contentHash } from './content-hash.ts'
import { findDates } from './dates.ts'
import { detectLanguage } from './detect-language.ts'
import { readFacts, type Facts } from './facts.ts'
import { findImage } from './image.ts'
import { readJsonLd, textsOf } from './json-ld.ts'
import { findLanguage } from './language.ts'
import { findTitle } from './title.ts'

type Given = Partial<Signals> & {
  url?: string | null
  hints?: CleanedPage['capture']['hints']
  meta?: Record<string, string>
  ld?: unknown
}

function facts({ url = 'https://www.courier.example/town/bridge', hints, meta = {}, ld, ...signals }: Given = {}): Facts {
  const none = { status: null, contentType: null, robotsTag: null, etag: null, lastModified: null }
  const capture = {
    source: 'url' as const,
    requestedUrl: url,
    url,
    chain: [],
    fetchedAt: '2026-03-20T12:00:00.000Z',
    contentEncoding: [],
    cut: false,
    bytes: 1,
    ...none,
    ...(hints && { hints }),
  }
  const metas = Object.entries(meta).map(([name, content]) => ({ name, content }))
  const jsonLd = ld === undefined ? [] : [JSON.stringify(ld)]
  return readFacts({
    capture,
    kind: 'html',
    encoding: 'utf-8',
    bytesHash: 'ab'.repeat(32),
    title: null,
    blocks: [],
    cut: false,
    signals: { ...NO_SIGNALS, metas, jsonLd, ...signals },
  })
}

test('published and modified are never swapped: a page that says only when it changed has no published date', () => {
  const { published, modified } = findDates(
    facts({ ld: { '@type': 'NewsArticle', dateModified: '2026-03-17' }, meta: { 'og:updated_time': '2026-03-18' } }),
  )
  expect(published).toBeNull()
  expect(modified?.value).toMatchObject({ date: '2026-03-17', source: 'json-ld' })
})

test('a date beyond a day after fetching is passed over for the next one, within a day it is believed', () => {
  const late = findDates(facts({ ld: { '@type': 'Article', datePublished: '2026-03-22' }, meta: { date: '2026-03-19' } }))
  expect(late.published?.value).toMatchObject({ date: '2026-03-19', source: 'meta' })
  expect(findDates(facts({ meta: { date: '2026-03-21T11:59:00Z' } })).published?.value.at).toBe('2026-03-21T11:59:00.000Z')
})

test('a change before the publication is dropped', () => {
  expect(findDates(facts({ ld: { '@type': 'Article', datePublished: '2026-03-16', dateModified: '2026-03-10' } })).modified).toBeNull()
})

test('the address gives a day where the page is silent, the hint where the address is too', () => {
  expect(findDates(facts({ url: 'https://courier.example/2026/03/16/bridge' })).published?.value).toMatchObject({
    date: '2026-03-16',
    source: 'url',
    precision: 'day',
  })
  expect(
    findDates(facts({ url: 'https://courier.example/2026/13/16/bridge', hints: { published: '2026-03-15' } })).published?.value,
  ).toMatchObject({ date: '2026-03-15', source: 'hint' })
})

test('a date line that says updated is the modified date only', () => {
  const { published, modified } = findDates(facts({ dateTexts: ['Updated: 17 March 2026 08:05', 'Published on 16 March 2026'] }))
  expect([published?.value.date, modified?.value.date]).toEqual(['2026-03-16', '2026-03-17'])
})

test.each([
  [['By Ada Quill and Björn Åkesson'], ['Ada Quill', 'Björn Åkesson']],
  [['Von Jörg Müßig'], ['Jörg Müßig']],
  [['Ada Quill, Piet Okafor & Tamsin Roe'], ['Ada Quill', 'Piet Okafor', 'Tamsin Roe']],
  [['https://www.facebook.com/courier'], []],
  [['ADA QUILL', 'Ada Quill'], ['Ada Quill']],
  [['Ada Quill ada@courier.example @adaq'], ['Ada Quill']],
])('authors in %j are %j', (texts, names) => {
  expect(findAuthors(facts({ ld: { '@type': 'Article', author: texts } }))?.value ?? []).toEqual(names)
})

test('an author that is an address is passed over for the byline, and the hint comes last', () => {
  expect(findAuthors(facts({ meta: { 'article:author': 'https://facebook.com/ada' }, bylines: ['By Ada Quill'] }))).toEqual({
    value: ['Ada Quill'],
    rule: 'byline',
  })
  expect(findAuthors(facts({ hints: { author: 'Ada Quill' } }))).toEqual({ value: ['Ada Quill'], rule: 'hint' })
})

test('the site is taken off the title, and nothing else is', () => {
  expect(findTitle(facts({ title: 'Bridge closes | The Courier', meta: { 'og:site_name': 'The Courier' } })).value).toBe('Bridge closes')
  expect(findTitle(facts({ title: 'Bridge closes - for good', meta: { 'og:site_name': 'The Courier' } })).value).toBe(
    'Bridge closes - for good',
  )
})

test.each([
  ['https://courier.example/town/bridge', 'https://courier.example/town/bridge', 'link'],
  ['/town/the-bridge#top', 'https://www.courier.example/town/the-bridge', 'link'],
  ['https://m.courier.example/town/bridge', 'https://m.courier.example/town/bridge', 'link'],
  ['https://other.example/town/bridge', 'https://www.courier.example/town/bridge', 'address'],
  ['https://www.courier.example/', 'https://www.courier.example/town/bridge', 'address'],
  ['javascript:void(0)', 'https://www.courier.example/town/bridge', 'address'],
  ['https://user:secret@www.courier.example/x', 'https://www.courier.example/town/bridge', 'address'],
])('the canonical link %s gives %s', (canonical, value, rule) => {
  expect(findCanonicalUrl(facts({ canonical }))).toEqual({ value, rule })
})

test.each([
  ['http://192.0.2.7/bridge', 'http://192.0.2.8/town/bridge', 'http://192.0.2.8/town/bridge', 'address'],
  ['http://192.0.2.8/bridge', 'http://192.0.2.8/town/bridge', 'http://192.0.2.8/bridge', 'link'],
  ['http://192.0.2.8:8080/bridge', 'http://192.0.2.8/town/bridge', 'http://192.0.2.8/town/bridge', 'address'],
  ['https://github.io/bridge', 'https://co.uk/town/bridge', 'https://co.uk/town/bridge', 'address'],
])('where neither host has an owner, the canonical link %s on %s gives %s', (canonical, url, value, rule) => {
  expect(findCanonicalUrl(facts({ url, canonical }))).toEqual({ value, rule })
  const page = facts({ url, meta: { 'og:url': canonical } })
  expect(findCanonicalUrl(page)).toEqual({ value, rule: rule === 'link' ? 'og-url' : rule })
})

test('bytes without an address have their own canonical link if it is absolute and no home page, else a name of their own', () => {
  const urn = { value: `urn:sha256:${'ab'.repeat(32)}`, rule: 'bytes' }
  expect(findCanonicalUrl(facts({ url: null, canonical: 'https://courier.example/town/bridge' }))).toEqual({
    value: 'https://courier.example/town/bridge',
    rule: 'link',
  })
  expect(findCanonicalUrl(facts({ url: null, canonical: '/town/bridge' }))).toEqual(urn)
  expect(findCanonicalUrl(facts({ url: null, canonical: 'https://courier.example/' }))).toEqual(urn)
  expect(findCanonicalUrl(facts({ url: null, meta: { 'og:url': 'https://courier.example/town/bridge' } }))).toEqual(urn)
})

test('JSON-LD is found in lists, graphs and below other things, and references are followed', () => {
  expect(readJsonLd(['[{"@type":"WebPage","mainEntity":{"@type":"BlogPosting","headline":"a"}}]'])).toMatchObject({ headline: 'a' })
  const graph = {
    '@graph': [
      { '@type': 'NewsArticle', author: { '@id': '#a' } },
      { '@id': '#a', name: 'Ada' },
    ],
  }
  expect(textsOf(readJsonLd(['{', JSON.stringify(graph)])['author'])).toEqual(['Ada'])
  expect(readJsonLd(['<!-- {"@type":"Article","headline":"b\nc"} -->'])).toMatchObject({ headline: 'b c' })
  expect(readJsonLd(['null', '3', '"x"', '{"@type":"WebSite"}', '{"@type":'])).toEqual({})
})

test('an image without a web address is none', () => {
  expect(findImage(facts({ meta: { 'og:image': 'data:image/png;base64,AA' } }))).toBeNull()
  expect(findImage(facts({ ld: { '@type': 'Article', image: [{ url: '/a.jpg', width: '1200' }] } }))?.value).toEqual({
    url: 'https://www.courier.example/a.jpg',
    width: 1200,
  })
})

test('what the page says of its language wins over the hint, and the hint over a guess', () => {
  expect(findLanguage(facts({ htmlLang: 'pt_br', hints: { language: 'en' } }), '')).toEqual({ value: 'pt-BR', rule: 'html-lang' })
  expect(findLanguage(facts({ htmlLang: '<?lang?>', hints: { language: 'en' } }), '')).toEqual({ value: 'en', rule: 'hint' })
  expect(findLanguage(facts(), 'short')).toBeNull()
})

test.each([
  ['en', 'The council said on Monday that it would close the bridge to cars, and that the buses have to go round it.'],
  ['de', 'Der Rat hat am Montag beschlossen, dass die Brücke für Autos gesperrt wird und die Busse einen Umweg fahren.'],
  ['fr', 'Le conseil a décidé lundi que le pont serait fermé aux voitures et que les bus devront faire un détour par la rive.'],
  ['es', 'El consejo decidió el lunes que el puente se cierra a los coches y que los autobuses tendrán que dar un rodeo por la orilla.'],
  ['pt', 'O conselho decidiu na segunda-feira que a ponte não abre para os carros e que os ônibus vão dar uma volta pelo rio.'],
  ['it', 'Il consiglio ha deciso lunedì che il ponte sarà chiuso alle auto e che gli autobus faranno un giro più lungo della riva.'],
  ['nl', 'De raad heeft maandag besloten dat de brug niet meer open is voor auto’s en dat de bussen een andere weg nemen.'],
  ['ru', 'Совет в понедельник решил, что мост будет закрыт для машин, и автобусы поедут по другой дороге, как это было раньше.'],
  ['uk', 'Рада в понеділок вирішила, що міст буде закрито для машин, і автобуси поїдуть іншою дорогою, як це було раніше.'],
  ['ar', 'قرر المجلس في اجتماع يوم الاثنين إغلاق الجسر أمام السيارات على أن تسير الحافلات في طريق آخر بعد هذا الشهر.'],
  ['ja', '市議会は月曜日、古い橋を車の通行止めにすることを決めた。バスはほかの道を通ることになる。歩行者はこれまで通り通れる。'],
  ['zh', '市议会星期一决定，旧桥将不再允许汽车通行，公共汽车须绕道行驶。行人和骑自行车的人仍然可以过桥。'],
  ['ko', '시의회는 월요일 오래된 다리의 차량 통행을 막기로 했다. 버스는 다른 길로 돌아가야 하며 보행자는 그대로 건널 수 있다.'],
  [null, 'Lorem ipsum dolor sit amet consectetur adipiscing elit sed eiusmod tempor incididunt labore magna aliqua veniam'],
  [null, '12 34 56 78'],
])('a text in %s is told by its script and its small words', (language, text) => {
  expect(detectLanguage(text)).toBe(language)
})

test('the content hash changes with what a correction changes, and not with a date’s source', () => {
  const article = {
    title: 'a',
    text: 'b',
    authors: ['c'],
    published: null,
    modified: null,
    language: 'en',
    description: null,
    section: null,
    tags: [],
    canonicalUrl: 'https://courier.example/a',
  }
  const date = {
    at: '2026-03-16T00:00:00.000Z',
    date: '2026-03-16',
    precision: 'day' as const,
    offset: null,
    source: 'meta' as const,
    confidence: 1,
  }
  const hash = contentHash({ ...article, published: date })
  expect(contentHash({ ...article, published: { ...date, source: 'hint', confidence: 0.5 } })).toBe(hash)
  const corrections = {
    title: 'Other',
    text: 'Other',
    authors: ['Other'],
    published: { ...date, at: '2026-03-15T00:00:00.000Z' },
    modified: date,
    language: 'cy',
    description: 'Other',
    section: 'Other',
    tags: ['d'],
    canonicalUrl: 'https://courier.example/other',
  }
  const hashWith = (part: string, value: unknown) => contentHash({ ...article, published: date, [part]: value })
  for (const [part, value] of Object.entries(corrections)) expect([part, hashWith(part, value)]).not.toEqual([part, hash])
  const others = ['articleId', 'captureId', 'url', 'urls', 'blocks', 'html', 'publisher', 'image', 'links', 'wordCount', 'extent', 'fields']
  for (const part of others) expect([part, hashWith(part, 'Other')]).toEqual([part, hash])
  expect(hashWith('published', { ...date, precision: 'minute', offset: '+01:00' })).toBe(hash)
})

test.each(['Modifié le 9 mars 2024', 'Mis à jour le 9 mars 2024', 'Updated 9 March 2024', 'Geändert am 9. März 2024'])(
  '%s is no published date',
  (text) => {
    const { published, modified } = findDates(facts({ times: [{ datetime: '2024-03-09', text, itemprop: null }], url: null }))
    expect([published, modified?.value.date]).toEqual([null, '2024-03-09'])
  },
)
