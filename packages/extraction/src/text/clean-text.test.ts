// oxlint-disable-next-line no-restricted-imports -- the sample is a file
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { decode } from '../decode/decode.ts'
import { cleanText } from './clean-text.ts'

const sample = new URL('../../../../../shared/samples/000_8ef769d34f6d49cd.txt', import.meta.url)
const long = (word: string): string => `${word} is a sentence of ten words that goes on and on. `.repeat(3).trim()

function read(text: string): { title: string | null; kinds: string[]; texts: string[] } {
  const cleaned = cleanText(text)
  if ('refused' in cleaned) throw new Error(cleaned.refused.evidence)
  const texts = cleaned.blocks.map((block) => ('text' in block ? block.text : block.kind === 'list' ? block.items.join('|') : ''))
  return { title: cleaned.title, kinds: cleaned.blocks.map((block) => block.kind), texts }
}

// The sample belongs to its publisher: it is read where it lies, and the test says so where it doesn't.
test.runIf(existsSync(sample))(
  'the sample becomes its headline and its 23 paragraphs, word for word (skipped where ../shared/samples is missing)',
  () => {
    const bytes = readFileSync(sample)
    const original = bytes
      .toString('utf8')
      .split('\n')
      .map((line) => line.trimEnd())
      .filter((line) => line !== '')
    const { title, kinds, texts } = read(decode(bytes, { kind: 'text' }).text)
    expect(title).toBe('Japan seeks “historic” year in treaty talks amid deep rift with Russia')
    expect(kinds).toEqual(Array.from({ length: 23 }, () => 'paragraph'))
    expect(texts).toEqual(original.slice(2, 25))
  },
)

test.runIf(existsSync(sample))(
  'the sample gives the same article with CRLF and in Latin-1 (skipped where ../shared/samples is missing)',
  () => {
    const text = readFileSync(sample, 'utf8')
    const expected = read(text)
    expect(read(decode(Buffer.from(text.replaceAll('\n', '\r\n')), { kind: 'text' }).text)).toEqual(expected)
    const plain = text.replaceAll(/[“”]/g, '"').replaceAll('’', "'").replaceAll('•', '·')
    expect(read(decode(Buffer.from(plain, 'latin1'), { kind: 'text' }).text)).toEqual(read(plain))
  },
)

test('a line of buttons, a breadcrumb and a site name above the headline are dropped', () => {
  const { title, texts } = read(
    `Skip to content\n\nThe Courier\n\nHome > News > Town\n\nA headline of more words\n\n${long('One')}\n\n${long('Two')}`,
  )
  expect(title).toBe('A headline of more words')
  expect(texts).toEqual([long('One'), long('Two')])
})

test('lists of sections go from both ends, with the labels over them', () => {
  const { title, texts } = read(
    `• News\n• Sport\n\nA headline of more words\n\n${long('One')}\n\nMore sections\n\n• News\n• Sport\n\nTown\nRiver\nLetters`,
  )
  expect(title).toBe('A headline of more words')
  expect(texts).toEqual([long('One')])
})

test('a list inside the article stays, and so does one with sentences at its end', () => {
  const { kinds, texts } = read(
    `A headline of more words\n\n${long('One')}\n\n• Apples\n• Pears\n\n${long('Two')}\n\n1. The first rule is that it rains.\n2. The second rule is that it pours.`,
  )
  expect(kinds).toEqual(['paragraph', 'list', 'paragraph', 'list'])
  expect(texts[3]).toBe('The first rule is that it rains.|The second rule is that it pours.')
})

test('a spoken line that begins with a dash is no list', () => {
  const { kinds } = read(`Un titre de quelques mots\n\n– Bonjour, dit-il en posant son chapeau sur la table.\n\n${long('One')}`)
  expect(kinds).toEqual(['paragraph', 'paragraph'])
})

test('hard-wrapped paragraphs are joined, indented ones are kept apart', () => {
  const wrapped =
    'The river rose in the night, and by the morning the lower town\nwas under a foot of water. Nobody was hurt.\n  The mayor thanked the boatmen, who had rowed from house to house\nsince four in the morning, and promised them new oars.'
  expect(read(`A headline of more words\n\n${wrapped}`).texts).toEqual([
    'The river rose in the night, and by the morning the lower town was under a foot of water. Nobody was hurt.',
    'The mayor thanked the boatmen, who had rowed from house to house since four in the morning, and promised them new oars.',
  ])
})

test('one paragraph a line, without blank lines, is told from wrapping', () => {
  expect(read(`A headline of more words\n${long('One')}\n${long('Two')}`).texts).toEqual([long('One'), long('Two')])
})

test('a text of more lines than a call takes arguments is read', () => {
  expect(read(`A headline of more words\n\n${'The river rose in the night once more.\n'.repeat(200_000)}`).title).toBe(
    'A headline of more words',
  )
})

test('a wrapped line that begins like chrome is not lost', () => {
  const text =
    'The museum says that it will put all of its old maps online, and that\ncopyright 1923 and later stays with the heirs of those who drew them.\nThe first thousand can be seen from Friday.'
  expect(read(`A headline of more words\n\n${text}`).texts).toEqual([text.replaceAll('\n', ' ')])
  expect(read(`A headline of more words\n\n${long('Copyright')}`).texts).toEqual([long('Copyright')])
})

test('a short line between paragraphs is a heading', () => {
  expect(read(`A headline of more words\n\n${long('One')}\n\nWhat comes next\n\n${long('Two')}`).kinds).toEqual([
    'paragraph',
    'heading',
    'paragraph',
  ])
})

test('byline and date become signals, a sentence that begins with By stays', () => {
  const cleaned = cleanText(
    `A headline of more words\n\nBy Ada Quill\n\nUpdated: 3 May 2025 at 10:15\n\nBy noon the square was full of people who had come to see the bells go up.\n\n${long('Two')}`,
  )
  if ('refused' in cleaned) throw new Error(cleaned.refused.evidence)
  expect(cleaned.signals).toMatchObject({ bylines: ['By Ada Quill'], dateTexts: ['Updated: 3 May 2025 at 10:15'] })
  expect(cleaned.blocks).toHaveLength(2)
})

test('text without an article in it is refused, with what it was judged on', () => {
  expect(cleanText(' \n \n')).toEqual({ refused: { code: 'empty', evidence: 'the text is empty' } })
  expect(cleanText('Just a few words here.')).toMatchObject({
    refused: { code: 'not-article', evidence: '5 words of running text; an article has at least 25' },
  })
  expect(cleanText('print PRINT\n\nShare')).toMatchObject({ refused: { code: 'not-article' } })
  expect(cleanText(`A headline of more words\n\n• ${long('One')}\n• ${long('Two')}`)).toMatchObject({
    refused: { code: 'not-article', evidence: 'only lists, no paragraph' },
  })
})
