import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { codesInSource, errorsPage, renderErrorsPage } from '../../scripts/docs-errors.ts'
import { catalogue } from '../../src/errors/catalogue.ts'

describe('error catalogue', () => {
  it('has every code that the sources name', () => {
    const used = codesInSource()
    assert.ok(used.size > 0, 'the scan of src found no code at all')
    const strangers = [...used].filter(([code]) => !(code in catalogue)).map(([code, path]) => `${code} in ${path}`)
    assert.deepEqual(strangers, [])
  })

  it('is what docs/errors.md shows (npm run docs:errors writes it)', () => {
    assert.equal(readFileSync(errorsPage, 'utf8'), renderErrorsPage())
  })

  for (const [code, { summary }] of Object.entries(catalogue)) {
    it(`${code} has a one-line summary that fits a table`, () => {
      assert.match(summary, /^[A-Z][^|\n]{8,100}[^.|\n]$/)
    })
  }
})
