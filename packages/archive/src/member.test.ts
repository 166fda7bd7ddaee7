import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readMember, writeMember } from './member.ts'

const MAX = 1_000_000
const text = Buffer.from('One paragraph of an article. '.repeat(200))

describe('a gzip member', () => {
  it.each([0, 1] as const)('reads back as it was written at level %i, and says where the next begins', async (level) => {
    const member = await writeMember(text, level)
    const read = readMember(Buffer.concat([Buffer.from('before'), member, member]), 6, MAX)
    expect(read).toEqual({ state: 'whole', data: text, end: 6 + member.length })
  })

  it('is what any gunzip reads, also when it was large enough to be compressed aside', async () => {
    const large = Buffer.alloc(600_000, 'abc')
    expect(gunzipSync(await writeMember(large, 1)).equals(large)).toBe(true)
  })

  it('is short wherever it is cut off', async () => {
    const member = await writeMember(text, 1)
    for (let length = 0; length < member.length; length += 1) {
      expect(readMember(member.subarray(0, length), 0, MAX).state, `cut to ${length}`).toBe('short')
    }
  })

  it('is corrupt when a byte of its data, its checksum or its length was changed', async () => {
    const member = await writeMember(text, 0)
    for (const at of [0, 40, member.length - 6, member.length - 2]) {
      const changed = Buffer.from(member)
      changed[at] = changed[at]! ^ 0x10
      expect(readMember(changed, 0, MAX).state, `byte ${at}`).toBe('corrupt')
    }
  })

  it('is corrupt where a power cut left zeros', () => {
    expect(readMember(Buffer.alloc(4096), 0, MAX).state).toBe('corrupt')
  })

  it('is corrupt where its flags are none that a member can have (RFC 1952 §2.3.1.2)', async () => {
    const member = Buffer.from(await writeMember(text, 1))
    for (const flag of [0x20, 0x40, 0x80]) {
      member[3] = flag
      expect(readMember(member, 0, MAX).state).toBe('corrupt')
    }
  })

  it('is large when it decodes to more than the cap', async () => {
    const bomb = await writeMember(Buffer.alloc(2_000_000), 1)
    expect(readMember(bomb, 0, MAX).state).toBe('large')
  })

  it('is read with the optional header fields that other writers add', () => {
    const plain = gzipSync(text)
    const header = Buffer.from(plain.subarray(0, 10))
    header[3] = 4 | 8 | 16 | 2
    const fields = Buffer.from('\x03\0abcname\0comment\0hc', 'latin1')
    const member = Buffer.concat([header, fields, plain.subarray(10)])
    expect(readMember(member, 0, MAX)).toEqual({ state: 'whole', data: text, end: member.length })
    expect(readMember(member.subarray(0, 20), 0, MAX).state).toBe('short')
  })
})
