/** Scripts that one language has nearly to itself, in the order in which they are asked: Japanese has Han characters too. */
const SCRIPTS: readonly { language: string; pattern: RegExp; share: number }[] = [
  { language: 'ja', pattern: /[\p{Script=Hiragana}\p{Script=Katakana}]/gu, share: 0.2 },
  { language: 'ko', pattern: /\p{Script=Hangul}/gu, share: 0.4 },
  { language: 'zh', pattern: /\p{Script=Han}/gu, share: 0.6 },
  { language: 'el', pattern: /\p{Script=Greek}/gu, share: 0.6 },
  { language: 'he', pattern: /\p{Script=Hebrew}/gu, share: 0.6 },
  { language: 'th', pattern: /\p{Script=Thai}/gu, share: 0.6 },
]

/** Short words that carry a sentence and are rare in the other languages here. Shared ones (de, en, a, la, и) only where most frequent. */
const WORDS: Record<string, string> = {
  en: 'the of and to in that is was for on with as it at by from his have been which their said will has are were',
  de: 'der die das und ist nicht mit den von zu ein eine auf sich dem des im für auch als wird sind nach werden',
  fr: 'le la les des et est une du dans qui que pour pas sur au par avec plus sont cette ont mais aux il',
  es: 'el la los las que y en un una por con para del se su como más pero fue son este al lo',
  pt: 'o os as que e em um uma por com para do da no na dos das não se mais foi como são ao pelo',
  it: 'il di che è e la per un una non con del della sono le i si da nel alla gli anche ha più dei',
  nl: 'de het een van en is dat op te voor met zijn niet aan er ook om bij naar door maar uit werd heeft',
  sv: 'och att det som är på för av med den till inte ett om har de från men vid kan var efter',
  da: 'og at det er på for af med den til ikke et har som de fra men ved efter blev også hun sig',
  no: 'og at det er på for av med den til ikke et har som fra men ved etter ble også hun seg',
  pl: 'i w nie na się z do jest że to jak o po za przez od jego ale dla oraz są był tym',
  tr: 've bir bu da de için ile olarak çok olan daha gibi en sonra kadar ise ancak değil oldu var',
  id: 'yang dan di dengan untuk dari ini itu pada tidak dalam akan ke juga oleh adalah ada mereka telah kata',
  ru: 'и в не на что с по как это он из у за от для к но его был так же были она все',
  uk: 'і в не на що з та до як це у за від для й але його був які також щоб цього про',
  bg: 'и на в да не се е за от с че по като са ще това след който при беше има му',
  ar: 'في من على أن إلى التي الذي عن هذا مع هذه كان بعد ما قال لا بين ذلك كما',
  fa: 'و در به از که این را با است برای آن شد خود کرد تا ها شده نیز می',
  ur: 'کے میں کی ہے اور سے کا کو نے پر کہ ہیں یہ اس بھی نہیں',
  hi: 'के में की है और से का को ने पर कि हैं यह इस भी नहीं',
}

const LISTS = Object.entries(WORDS).map(([language, words]) => ({ language, words: new Set(words.split(' ')) }))

/** Read from a text: enough for a vote, and no more work for a long one. */
const SAMPLE = 8000
const LEAST_LETTERS = 60
/** In running text every fourth to second word is one of its list. */
const LEAST_SHARE = 0.12
const LEAST_LEAD = 1.25

/** Guesses a text's language by script and by its shortest words; null when unsure. A careful detector replaces it later. */
export function detectLanguage(text: string): string | null {
  const sample = text.slice(0, SAMPLE)
  const letters = sample.match(/\p{L}/gu)?.length ?? 0
  if (letters < LEAST_LETTERS / 2) return null
  for (const { language, pattern, share } of SCRIPTS) {
    if ((sample.match(pattern)?.length ?? 0) > letters * share) return language
  }
  const words = sample.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? []
  if (letters < LEAST_LETTERS) return null
  const scores = LISTS.map((list) => ({ language: list.language, count: words.filter((word) => list.words.has(word)).length }))
  const [best, second] = scores.toSorted((one, other) => other.count - one.count)
  if (best === undefined || second === undefined) return null
  return best.count >= words.length * LEAST_SHARE && best.count >= second.count * LEAST_LEAD ? best.language : null
}
