import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { versionProblem } from './versions.ts'

/** Answers to `GET _nodes`: that of 9.5.3 as a real server gave it, less what is not read; the others in its shape, or in OpenSearch's. */
function kept(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, `../fixtures/nodes/${name}.json`), 'utf8'))
}

test.each([
  ['elasticsearch-9', null],
  ['elasticsearch-9-updating', null],
  ['elasticsearch-8', 'Elasticsearch is version 8.19.4, and Copydesk needs 9.x: update it'],
  ['elasticsearch-10', 'Elasticsearch is version 10.1.0, and Copydesk needs 9.x: take a Copydesk that was made for it'],
  [
    'elasticsearch-8-and-9',
    "Elasticsearch's nodes are of versions 8.19.4 and 9.5.3, and Copydesk needs 9.x on all of them: finish the update",
  ],
  [
    'opensearch-2',
    'the server (version 2.19.1) is no Elasticsearch, but one of its relatives: ELASTICSEARCH_URL must name an Elasticsearch 9.x',
  ],
  [
    'opensearch-9',
    'the server (version 9.0.0) is no Elasticsearch, but one of its relatives: ELASTICSEARCH_URL must name an Elasticsearch 9.x',
  ],
])('the versions of %s are judged', (name, problem) => {
  expect(versionProblem(kept(name))).toBe(problem)
})

test.each([[{}], [{ nodes: {} }], [{ nodes: { a: { version: 9 } } }], ['<html>'], [null]])(
  'an answer that is none is said to be none',
  (answer) => {
    expect(versionProblem(answer)).toMatch(/does not say its version.*ELASTICSEARCH_URL/)
  },
)
