import { Article, ArticleDate, Image } from '@copydesk/contracts'
import { describe, expect, it } from 'vitest'
import { ArticleDocument } from './document.ts'
import { ARTICLE_PROPERTIES, INDEX_PROPERTIES } from './mapping.ts'

const sorted = (value: object) => Object.keys(value).toSorted((a, b) => a.localeCompare(b))

function inner(field: string): object {
  const mapping = ARTICLE_PROPERTIES[field]
  return mapping !== undefined && 'properties' in mapping ? (mapping.properties ?? {}) : {}
}

describe('the mapping', () => {
  it('has the fields of the Article, each under its own name, and no other', () => {
    expect(sorted(ARTICLE_PROPERTIES)).toEqual(sorted(Article.shape))
  })

  it('has the fields that the document adds, and no other', () => {
    expect(sorted({ ...ARTICLE_PROPERTIES, ...INDEX_PROPERTIES })).toEqual(sorted(ArticleDocument.shape))
  })

  it('has the fields of dates and of the image', () => {
    expect(sorted(inner('published'))).toEqual(sorted(ArticleDate.shape))
    expect(sorted(inner('modified'))).toEqual(sorted(ArticleDate.shape))
    expect(sorted(inner('image'))).toEqual(sorted(Image.shape))
  })

  it('keeps blocks, html, links and fields without indexing them', () => {
    for (const field of ['blocks', 'html', 'links', 'fields']) expect(ARTICLE_PROPERTIES[field]).toEqual({ type: 'object', enabled: false })
  })
})
