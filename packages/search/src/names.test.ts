import { describe, expect, it } from 'vitest'
import { createNames, monthAfter, monthOf, partitionMonth } from './names.ts'

describe('months', () => {
  it('are those of UTC, whatever the spelling of the time', () => {
    expect(monthOf('2026-11-30T23:59:59.999Z')).toBe('2026.11')
    expect(monthOf('2026-11-30T23:59:59-02:00')).toBe('2026.12')
    expect(monthOf(0)).toBe('1970.01')
  })

  it('follow each other over the end of a year', () => {
    expect(monthAfter('2026.11')).toBe('2026.12')
    expect(monthAfter('2026.12')).toBe('2027.01')
  })

  it("are read from a partition's name, of a later version too", () => {
    expect(partitionMonth(createNames().partition('2026.11'))).toBe('2026.11')
    expect(partitionMonth('articles_v2-2026.11')).toBe('2026.11')
    expect(partitionMonth('articles')).toBeNull()
  })
})
