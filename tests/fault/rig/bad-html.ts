const PARAGRAPH = `<p>${'The harbour board met again and heard a witness about the quay. '.repeat(6)}</p>`
const page = (body: string): string =>
  `<!doctype html><html lang="en"><title>Bad</title><body><article>${body}${PARAGRAPH}</article></body></html>`

/** Pages that end their parser: by elements without end, by attributes without end, by nesting that it never comes to the end of. */
export const BAD_PAGES: readonly (() => string)[] = [
  () => page('<p>a<b>c</b>'.repeat(700_000)),
  () => page(`<p ${Array.from({ length: 900_000 }, (_, at) => `a${at}=1`).join(' ')}>x</p>`),
  () => page('<div>'.repeat(400_000)),
]
