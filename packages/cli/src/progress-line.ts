/** One line on standard error that is written over on a terminal, and written anew every few seconds elsewhere. */
export function createProgressLine(stream: NodeJS.WriteStream = process.stderr, everyMs = 5000) {
  let last = Date.now()
  let shown = false
  return {
    show(text: string): void {
      if (stream.isTTY) {
        stream.write(`\r\x1b[2K${text.slice(0, (stream.columns ?? 80) - 1)}`)
        shown = true
      } else if (Date.now() - last >= everyMs) {
        last = Date.now()
        stream.write(`${text}\n`)
      }
    },
    /** Makes room for other output. */
    clear(): void {
      if (shown) stream.write('\r\x1b[2K')
      shown = false
    },
  }
}
