import { expect, it } from 'vitest'
import { userAgent } from './user-agent.ts'

it('names the product, its version and whom to ask', () => {
  expect(userAgent('https://example.org/bot', '1.2.3')).toBe('Mozilla/5.0 (compatible; Copydesk/1.2.3; +https://example.org/bot)')
  expect(userAgent('desk@example.org')).toMatch(/^Mozilla\/5\.0 \(compatible; Copydesk\/\d+\.\d+\.\d+; \+desk@example\.org\)$/)
  expect(userAgent()).toMatch(/^Mozilla\/5\.0 \(compatible; Copydesk\/\d+\.\d+\.\d+\)$/)
})
