import { readFile, readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'

/** A news site on loopback: the HTML files of a folder, under their names without `.html`. */
export interface DemoSite {
  origin: string
  /** The address of each of its pages, its home page aside. */
  pages: string[]
  close(): Promise<void>
}

/** Serves the demo's news site. Files are read once, so that no request reaches the disk. */
export async function serveSite(folder: string, port: number): Promise<DemoSite> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.html'))
  const files = new Map<string, string>(
    await Promise.all(
      names.map(
        async (name) => [`/${name === 'index.html' ? '' : name.slice(0, -5)}`, await readFile(join(folder, name), 'utf8')] as const,
      ),
    ),
  )
  const origin = `http://127.0.0.1:${port}`
  const server = createServer((request, response) => {
    const file = files.get(new URL(request.url ?? '/', origin).pathname)
    response
      .writeHead(file === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' })
      .end(file?.replaceAll('{{origin}}', origin) ?? 'Not found')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    origin,
    pages: [...files.keys()].filter((path) => path !== '/').map((path) => origin + path),
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
