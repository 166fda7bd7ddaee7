import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished, test } from 'vitest'
import { parseAllowCidrs } from './allowed-addresses.ts'
import { classifyAddress } from './classify-address.ts'
import { createGuard } from './guard.ts'

describe('classifyAddress', () => {
  test.each([
    ...[
      '8.8.8.8',
      '1.1.1.1',
      '93.184.216.34',
      '100.63.255.255',
      '100.128.0.0',
      '172.15.255.255',
      '172.32.0.0',
      '192.0.1.1',
      '192.167.255.255',
    ],
    ...[
      '198.17.255.255',
      '198.20.0.0',
      '223.255.255.255',
      '11.0.0.0',
      '126.255.255.255',
      '2606:4700::1111',
      '2a00:1450::1',
      '2001:4860::8888',
      '2001:200::1',
    ],
  ])('takes %s for public', (ip) => {
    expect(classifyAddress(ip)).toBe('public')
  })

  test.each([
    ...[
      '0.0.0.0',
      '0.1.2.3',
      '10.0.0.1',
      '10.255.255.255',
      '100.64.0.0',
      '100.127.255.255',
      '127.0.0.1',
      '127.255.255.255',
      '169.254.169.254',
    ],
    ...[
      '172.16.0.0',
      '172.31.255.255',
      '192.0.0.1',
      '192.0.2.1',
      '192.88.99.1',
      '192.168.0.1',
      '198.18.0.0',
      '198.19.255.255',
      '198.51.100.1',
    ],
    ...['203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...[
      '::',
      '::1',
      '::127.0.0.1',
      '::8.8.8.8',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '::ffff:7f00:1',
      '::ffff:0:127.0.0.1',
      '64:ff9b::8.8.8.8',
      '64:ff9b:1::1',
    ],
    ...[
      '100::1',
      '100:0:0:1::1',
      '2001::1',
      '2001:0:4136::1',
      '2001:1ff::1',
      '2001:db8::1',
      '2002:7f00:1::',
      '3fff::1',
      '5f00::1',
      'fc00::1',
      'fd00::1',
    ],
    ...['fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '4000::1', '', 'localhost', '127.1', '2606:4700::1111%eth0'],
  ])('takes %j for private', (ip) => {
    expect(classifyAddress(ip)).toBe('private')
  })
})

describe('parseAllowCidrs', () => {
  it('reads addresses of both families, each with its port', () => {
    expect(parseAllowCidrs(' 127.0.0.1/32:8080 ,[::1]/128:8080,fd00::/8:80,')).toEqual([
      { network: '127.0.0.1', prefix: 32, family: 'ipv4', port: 8080 },
      { network: '::1', prefix: 128, family: 'ipv6', port: 8080 },
      { network: 'fd00::', prefix: 8, family: 'ipv6', port: 80 },
    ])
    expect(parseAllowCidrs('')).toEqual([])
  })

  test.each([
    '127.0.0.1',
    '127.0.0.1:80',
    '127.0.0.1/32',
    '127.0.0.1/33:80',
    '127.0.0.1/32:0',
    '127.0.0.1/32:99999',
    '::1/129:80',
    'localhost/32:80',
    '127.1/32:80',
    'fe80::1%eth0/128:80',
  ])('says of %j how an entry is written', (entry) => {
    expect(() => parseAllowCidrs(`10.0.0.1/32:80,${entry}`)).toThrow(`"${entry}" is not an allowed address: write network/prefix:port`)
  })

  it('wants IPv4 addresses in their own form', () => {
    expect(() => parseAllowCidrs('::ffff:127.0.0.1/128:80')).toThrow(/write it as IPv4/)
    expect(() => parseAllowCidrs('::ffff:0:0/96:80')).toThrow(/write it as IPv4/)
  })
})

describe('checkUrl', () => {
  const strict = createGuard({ allowCidrs: [] })

  test.each([
    'http://example.org/',
    'https://example.org:443/a',
    'http://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://example.org:80/',
    'http://localhost.example.org/',
  ])('lets %s be tried', (url) => {
    expect(strict.checkUrl(url)).toBeNull()
  })

  test.each([
    ...[
      'http://127.0.0.1/',
      'http://0x7f.1/',
      'http://2130706433/',
      'http://[::1]/',
      'http://[::ffff:8.8.8.8]/',
      'http://localhost/',
      'http://a.localhost./',
    ],
    ...[
      'http://metadata.google.internal/',
      'http://printer.local/',
      'http://redis.default.svc/',
      'http://nas.home.arpa/',
      'http://elasticsearch/',
      'http://redis./',
    ],
    ...['http://example.org:6379/', 'http://8.8.8.8:22/', 'http://127.0.0.1:8080/'],
  ])('refuses %s', (url) => {
    expect(strict.checkUrl(url)).toMatchObject({ code: 'blocked-address' })
  })

  it('says why an address is no URL to fetch, without its password', () => {
    expect(strict.checkUrl('http://jo:secret@example.org/')).toEqual({
      code: 'bad-url',
      evidence: expect.stringMatching(/^(?!.*secret).*user name or password/),
    })
    expect(strict.checkUrl('ftp://example.org/')).toMatchObject({ code: 'bad-url' })
  })

  it('lets allowed addresses through on exactly their port', () => {
    const guard = createGuard({ allowCidrs: parseAllowCidrs('127.0.0.1/32:8080,10.0.0.0/8:80,[::1]/128:81'), extraPorts: [8443] })
    for (const url of ['http://127.0.0.1:8080/', 'http://10.9.8.7/', 'http://[::1]:81/', 'http://example.org:8443/'])
      expect(guard.checkUrl(url)).toBeNull()
    for (const url of [
      'http://127.0.0.1:81/',
      'http://127.0.0.2:8080/',
      'https://10.9.8.7/',
      'http://[::1]:8080/',
      'http://8.8.8.8:8080/',
    ]) {
      expect(guard.checkUrl(url)).toMatchObject({ code: 'blocked-address' })
    }
  })

  it('leaves a name on an allowed port to the connection, which sees where it leads', () => {
    const guard = createGuard({ allowCidrs: parseAllowCidrs('127.0.0.1/32:8080') })
    expect(guard.checkUrl('http://demo-site:8080/')).toBeNull()
    expect(guard.checkUrl('http://demo-site/')).toMatchObject({ code: 'blocked-address' })
  })
})

describe('the connector', () => {
  /** Listens on loopback and counts who came at all, with or without a request. */
  async function canary() {
    const sockets: Socket[] = []
    const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined).resume()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    /** How many came before a caller of our own: those that were on their way are counted too. */
    async function visits(): Promise<number> {
      const marker = createConnection(port, '127.0.0.1')
      onTestFinished(() => void marker.destroy())
      await once(marker, 'connect')
      await expect.poll(() => sockets.some(({ remotePort }) => remotePort === marker.localPort)).toBe(true)
      return sockets.length - 1
    }
    return { port, sockets, visits }
  }

  async function connect(guard: ReturnType<typeof createGuard>, hostname: string, port: number): Promise<Error | Socket> {
    const options = { hostname, host: `${hostname}:${port}`, port: String(port), protocol: 'http:' }
    return await new Promise((resolve) => guard.connector(1000)(options, (...[error, socket]) => resolve(error ?? socket)))
  }

  it('refuses a name of which any answer is private, before it connects to another of them', async () => {
    const { port, visits } = await canary()
    const answers = ['127.0.0.1', '10.0.0.1'].map((address) => ({ address, family: 4 }))
    const guard = createGuard({ allowCidrs: parseAllowCidrs(`127.0.0.1/32:${port}`), resolve: async () => answers })
    expect(await connect(guard, 'mixed.example', port)).toMatchObject({
      name: 'BlockedAddressError',
      message: expect.stringContaining('10.0.0.1'),
    })
    expect(await visits()).toBe(0)
  })

  it('refuses a private literal without a connection', async () => {
    const { port, visits } = await canary()
    expect(await connect(createGuard({ allowCidrs: [] }), '127.0.0.1', port)).toMatchObject({ name: 'BlockedAddressError' })
    expect(await visits()).toBe(0)
  })

  it('hangs up at once on a socket whose own address is another than the one that was checked', async () => {
    const { port, sockets } = await canary()
    let reads = 0
    const changing = { family: 4, address: '' }
    Object.defineProperty(changing, 'address', { get: () => (reads++ === 0 ? '93.184.216.34' : '127.0.0.1') })
    const guard = createGuard({ allowCidrs: [], extraPorts: [port], resolve: async () => [changing] })
    expect(await connect(guard, 'rebound.example', port)).toMatchObject({ name: 'BlockedAddressError' })
    await expect.poll(() => sockets.map(({ destroyed }) => destroyed)).toEqual([true])
  })

  it('connects to an allowed address', async () => {
    const { port } = await canary()
    const socket = await connect(createGuard({ allowCidrs: parseAllowCidrs(`127.0.0.1/32:${port}`) }), '127.0.0.1', port)
    expect(socket).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: port })
    ;(socket as Socket).destroy()
  })
})
