import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readLines } from '../../bench/harness/read-lines.ts'
import { resultsOf } from '../../bench/page/lines.ts'
import { pageOf } from '../../bench/page/page.ts'
import { resultsFile } from '../../bench/record.ts'

const docs = resolve(import.meta.dirname, '../../docs')
/** Formatting pads tables with spaces and dashes. */
const bare = (text: string): string => text.replace(/[ -]+/g, ' ')

describe('recorded results', () => {
  it('are what docs/performance.md and its plots show (npm run docs:performance writes them)', () => {
    for (const [name, content] of pageOf(resultsOf(readLines(resultsFile))))
      assert.equal(bare(readFileSync(join(docs, name), 'utf8')), bare(content))
  })
})
