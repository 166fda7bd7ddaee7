import { describe, expect, it } from 'vitest'
import { classifyItem } from './bulk.ts'

function item(status: number, type?: string, reason = 'for this reason') {
  return { _index: 'articles-w-2026.11', status, ...(type !== undefined && { error: { type, reason } }) }
}

describe('an item of a bulk answer', () => {
  it('is written, in conflict, or without its partition', () => {
    expect(classifyItem(item(200))).toEqual({ state: 'written' })
    expect(classifyItem(item(201))).toEqual({ state: 'written' })
    expect(classifyItem(item(409, 'version_conflict_engine_exception'))).toEqual({ state: 'conflict' })
    expect(classifyItem(item(404, 'index_not_found_exception'))).toEqual({ state: 'no-partition' })
  })

  it('says after a conflict which version is the current one', () => {
    const reason = '[Zq3]: version conflict, current version [6] is higher or equal to the one provided [1]'
    expect(classifyItem(item(409, 'version_conflict_engine_exception', reason))).toEqual({ state: 'conflict', version: 6 })
  })

  it('names the closed partition', () => {
    const closed = {
      ...item(400, 'index_closed_exception'),
      error: { type: 'index_closed_exception', reason: 'closed', index: 'a_v1-2026.11' },
    }
    expect(classifyItem(closed)).toEqual({
      state: 'unavailable',
      fault: { status: 400, type: 'index_closed_exception', index: 'a_v1-2026.11' },
    })
  })

  it.each(['mapper_parsing_exception', 'document_parsing_exception', 'illegal_argument_exception', 'some_later_exception'])(
    'is rejected for its own fault at a 400 with %s',
    (type) => {
      expect(classifyItem(item(400, type))).toMatchObject({ state: 'rejected', fault: { status: 400 } })
    },
  )

  it.each([
    [429, 'es_rejected_execution_exception'],
    [429, 'cluster_block_exception'],
    [403, 'cluster_block_exception'],
    [503, 'unavailable_shards_exception'],
    [502, undefined],
    [401, 'security_exception'],
    [403, 'security_exception'],
    [404, 'some_later_exception'],
    [500, 'null_pointer_exception'],
    [400, 'index_closed_exception'],
    [400, 'validation_exception'],
  ])('is not to blame for a %i with %s', (status, type) => {
    expect(classifyItem(item(status, type))).toMatchObject({ state: 'unavailable' })
  })

  it("is not to blame for its alias's faults", () => {
    const reason = 'no write index is defined for alias [articles-w-2026.11]'
    expect(classifyItem(item(400, 'illegal_argument_exception', reason))).toMatchObject({ state: 'unavailable' })
  })

  it.each([
    ['document_parsing_exception', "failed to parse field [image.width] of type [integer]. Preview of field's value: 'an alias'"],
    ['document_parsing_exception', 'no write index is defined for alias [articles-w-2026.11]'],
    ['illegal_argument_exception', 'immense term in field="language", prefix: "no write index is defined for alias [articles-w-2026.11]"'],
  ])('is rejected for its own fault where %s quotes an article about aliases', (type, reason) => {
    expect(classifyItem(item(400, type, reason))).toMatchObject({ state: 'rejected' })
  })

  it('is unavailable where the server left it out', () => {
    expect(classifyItem(undefined)).toMatchObject({ state: 'unavailable' })
  })

  it('names the field at fault and never quotes the article', () => {
    const reason =
      "[1:20] failed to parse field [published.at] of type [date] in document with id 'x'. Preview of field's value: 'secret text'"
    expect(classifyItem(item(400, 'document_parsing_exception', reason))).toEqual({
      state: 'rejected',
      fault: { status: 400, type: 'document_parsing_exception at published.at' },
    })
    const term = 'Document contains at least one immense term in field="language" (whose UTF8 encoding is longer), prefix: "secret"'
    expect(classifyItem(item(400, 'illegal_argument_exception', term))).toMatchObject({
      fault: { type: 'illegal_argument_exception at language' },
    })
  })
})
