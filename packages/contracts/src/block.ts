import { z } from 'zod'

export const Image = z.object({
  url: z.string(),
  width: z.int().optional(),
  height: z.int().optional(),
  alt: z.string().optional(),
  caption: z.string().optional(),
  credit: z.string().optional(),
})
export type Image = z.infer<typeof Image>

/** The article's body as data, in reading order. */
export const Block = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('paragraph'), text: z.string() }),
  z.object({ kind: z.literal('heading'), level: z.int().min(1).max(6), text: z.string() }),
  z.object({ kind: z.literal('list'), ordered: z.boolean(), items: z.array(z.string()) }),
  z.object({ kind: z.literal('quote'), text: z.string() }),
  z.object({ kind: z.literal('table'), rows: z.array(z.array(z.string())) }),
  z.object({ kind: z.literal('code'), text: z.string() }),
  z.object({ kind: z.literal('figure'), image: Image.nullable(), caption: z.string().nullable() }),
])
export type Block = z.infer<typeof Block>

/** A block's own text as it stands in the article's `text`; null for a figure, whose caption stays out of it. */
export function blockText(block: Block): string | null {
  switch (block.kind) {
    case 'paragraph':
    case 'heading':
    case 'quote':
    case 'code':
      return block.text
    case 'list':
      return block.items.join('\n')
    case 'table':
      return block.rows.map((row) => row.join('\t')).join('\n')
    case 'figure':
      return null
  }
}
