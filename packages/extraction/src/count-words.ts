const segmenter = new Intl.Segmenter('und', { granularity: 'word' })

/** Counts words by UAX #29, with dictionaries for scripts without spaces (Chinese, Japanese, Thai). Stops at `most`. */
export function countWords(text: string, most = Infinity): number {
  let count = 0
  for (const segment of segmenter.segment(text)) {
    if (segment.isWordLike === true) count += 1
    if (count >= most) break
  }
  return count
}
