import { z } from 'zod'

/** Longest URL taken anywhere, in characters (news URLs with tokens pass 2,083). */
export const MAX_URL_LENGTH = 4096

/** What the one who queued a page knows of it. Used where the page itself is silent, and marked as such. A title, author or tag that is too long is trimmed; anything else that is too long is refused. */
export const Hints = z.object({
  title: z
    .string()
    .trim()
    .transform((text) => text.slice(0, 300))
    .optional(),
  /** Any date that the extractor can read; kept as given. */
  published: z.string().trim().max(100).optional(),
  author: z
    .string()
    .trim()
    .transform((text) => text.slice(0, 200))
    .optional(),
  language: z.string().trim().max(35).optional(),
  tags: z
    .array(
      z
        .string()
        .trim()
        .transform((text) => text.slice(0, 100)),
    )
    .max(20)
    .optional(),
})
export type Hints = z.infer<typeof Hints>
