import { createServer } from 'node:net'

/** Whether somebody could listen there now. */
export async function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return (await tryToListen(port, host)) !== null
}

/** A port on which nobody listens now. Somebody may be quicker than who asked: try again then. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const port = await tryToListen(0, host)
  if (port === null) throw new Error(`no free port on ${host}: end some of the programs that listen there`)
  return port
}

function tryToListen(port: number, host: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(null) : reject(error),
    )
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null))
    })
  })
}
