const segmenters = new Map<string, Intl.Segmenter>()

/** Counts words as the language divides them (UAX #29, with dictionaries for Chinese, Japanese and Thai). */
export function countWords(text: string, language: string | null = null): number {
  const key = language ?? 'und'
  const segmenter = segmenters.get(key) ?? new Intl.Segmenter(key, { granularity: 'word' })
  segmenters.set(key, segmenter)
  let count = 0
  for (const segment of segmenter.segment(text)) if (segment.isWordLike === true) count += 1
  return count
}
