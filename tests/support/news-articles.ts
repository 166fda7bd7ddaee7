/** An article of the tests' own news site. */
export interface NewsArticle {
  number: number
  language: 'en' | 'de'
  title: string
  author: string
  /** ISO 8601 with the site's offset. */
  published: string
  paragraphs: string[]
}

interface Words {
  people: string[]
  places: string[]
  things: string[]
  sentences: ((pick: Pick) => string)[]
  title: (pick: Pick) => string
}
type Pick = (kind: 'people' | 'places' | 'things' | 'number') => string

const ENGLISH: Words = {
  people: [
    'the mayor',
    'a harbour pilot',
    'the head teacher',
    'the county engineer',
    'a retired baker',
    'the librarian',
    'the ferry master',
  ],
  places: [
    'the town hall',
    'the old quay',
    'the grain market',
    'the north bridge',
    'the railway yard',
    'the upper meadow',
    'the school field',
  ],
  things: [
    'the flood wall',
    'a new bus line',
    'the repair of the mill',
    'the winter timetable',
    'a row of lime trees',
    'the price of bread',
  ],
  title: (pick) => `Dispute over ${pick('things')} moves to ${pick('places')}`,
  sentences: [
    (pick) =>
      `On Tuesday evening ${pick('people')} told some ${pick('number')} neighbours at ${pick('places')} that ${pick('things')} would have to wait.`,
    (pick) => `Nobody had asked ${pick('people')} before, although ${pick('things')} had been on the list for ${pick('number')} years.`,
    (pick) => `The sum set aside, ${pick('number')} thousand crowns, is said to be enough for ${pick('things')} and little more.`,
    (pick) => `Those who live behind ${pick('places')} fear noise, dust and a longer way to work.`,
    (pick) => `In a letter that this paper has seen, ${pick('people')} calls the plan hasty, costly and badly drawn.`,
    (pick) =>
      `A walk from ${pick('places')} to ${pick('places')} now takes ${pick('number')} minutes, twice as long as it did last summer.`,
    (pick) => `Asked about ${pick('things')}, ${pick('people')} laughed and pointed at ${pick('places')}.`,
    (pick) =>
      `It was left to ${pick('people')} to read out the figures: ${pick('number')} votes for, ${pick('number')} against, and none that were spoilt.`,
  ],
}

const GERMAN: Words = {
  people: ['die Bürgermeisterin', 'der Hafenmeister', 'die Schulleiterin', 'der Kreisbaurat', 'eine frühere Bäckerin', 'der Bibliothekar'],
  places: ['am Rathaus', 'am alten Kai', 'auf dem Kornmarkt', 'an der Nordbrücke', 'am Güterbahnhof', 'auf der oberen Wiese'],
  things: [
    'die Flutmauer',
    'die neue Buslinie',
    'die Instandsetzung der Mühle',
    'der Winterfahrplan',
    'eine Reihe junger Linden',
    'der Brotpreis',
  ],
  title: (pick) => `Streit um ein Vorhaben: Wie ${pick('people')} über ${pick('number')} Einwände denkt`,
  sentences: [
    (pick) =>
      `Am Dienstagabend erklärte ${pick('people')} vor etwa ${pick('number')} Nachbarn ${pick('places')}, man müsse sich noch gedulden.`,
    (pick) => `Seit ${pick('number')} Jahren steht ${pick('things')} auf der Liste, doch geschehen ist bisher wenig.`,
    (pick) => `Für das Ganze sind ${pick('number')} Tausend Kronen vorgesehen, und viel mehr wird es wohl nicht werden.`,
    (pick) => `Wer ${pick('places')} wohnt, fürchtet Lärm, Staub und einen längeren Weg zur Arbeit.`,
    (pick) => `In einem Brief, der dieser Zeitung vorliegt, nennt ${pick('people')} den Plan übereilt, teuer und schlecht gezeichnet.`,
    (pick) => `Auf die Frage, was ${pick('things')} koste, lachte ${pick('people')} nur und schwieg.`,
    (pick) => `Am Ende verlas ${pick('people')} das Ergebnis: ${pick('number')} Stimmen dafür, ${pick('number')} dagegen, keine ungültig.`,
  ],
}

const AUTHORS = ['Ida Brandt', 'Tom Okafor', 'Mette Lund', 'Jonas Weiss', 'Ruth Carver']
const SYLLABLES = ['mar', 'nol', 'tev', 'bru', 'kas', 'lin', 'dor', 'wex', 'hal', 'pim']

/** The article of that number: always the same, no two alike; every fifth is in German. */
export function newsArticle(number: number): NewsArticle {
  const language = number % 5 === 4 ? 'de' : 'en'
  const words = language === 'de' ? GERMAN : ENGLISH
  const random = generator(number + 1)
  const pick: Pick = (kind) => (kind === 'number' ? String(3 + Math.floor(random() * 95)) : one(words[kind], random))
  const place = townOf(number)
  const paragraphs = Array.from({ length: 8 + (number % 4) }, (_, at) => {
    const start =
      language === 'de'
        ? `In ${place} geht es um Absatz ${at + 1} von Nummer ${number}.`
        : `This is part ${at + 1} of report ${number} from ${place}.`
    return [start, ...Array.from({ length: 3 }, () => capital(one(words.sentences, random)(pick)))].join(' ')
  })
  return {
    number,
    language,
    title: `${place}: ${words.title(pick)}`,
    author: one(AUTHORS, random),
    published: `2026-11-${String(1 + (number % 20)).padStart(2, '0')}T08:${String(number % 60).padStart(2, '0')}:00+01:00`,
    paragraphs,
  }
}

/** A town's name that no other number has: what a search for one article asks for. */
export function townOf(number: number): string {
  return `${capital(Array.from(String(number).padStart(3, '0'), (digit) => SYLLABLES[Number(digit)]).join(''))}stead`
}

/** The page of an article, with the usual furniture around it. `canonical` is an address, or null for none. */
export function articlePage({ language, title, author, published, paragraphs }: NewsArticle, canonical: string | null): string {
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><title>${title} | The Test Courier</title>
${canonical === null ? '' : `<link rel="canonical" href="${canonical}">`}
<meta property="og:site_name" content="The Test Courier"><meta property="og:title" content="${title}">
<meta property="article:published_time" content="${published}"><meta name="author" content="${author}">
</head><body><header><nav><a href="/">Home</a> <a href="/sport">Sport</a> <a href="/weather">Weather</a></nav></header>
<main><article><h1>${title}</h1><p class="byline">By ${author}</p>
${paragraphs.map((text) => `<p>${text}</p>`).join('\n')}
</article></main><footer><p>About us. Imprint. Privacy.</p></footer></body></html>`
}

/** The page's text as a print view gives it: a chrome line, the headline, paragraphs between blank lines. */
export function articleText({ title, paragraphs }: NewsArticle): string {
  return `print PRINT\n\n${title}\n\n${paragraphs.join('\n\n')}\n`
}

function one<T>(of: readonly T[], random: () => number): T {
  return of[Math.floor(random() * of.length)] as T
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** A linear congruential generator (Numerical Recipes' constants): the same numbers on every run. */
function generator(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
