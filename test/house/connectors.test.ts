import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connectorsPage, renderConnectorsPage } from '../../scripts/docs-connectors.ts'
import { connectors } from '../../src/connectors/catalogue.ts'
import * as exported from '../../src/connectors/index.ts'
import * as rx from '../../src/connectors/rx/index.ts'

describe('the connectors', () => {
  it('are what docs/connectors.md shows (npm run docs:connectors writes it)', () => {
    const page = readFileSync(connectorsPage, 'utf8')
    assert.equal(page, renderConnectorsPage(page))
  })

  for (const { name, about, guarantee, options } of connectors) {
    it(`${name} is exported, and says what it is`, () => {
      assert.equal(typeof ({ ...exported, ...rx } as Record<string, unknown>)[name], 'function')
      for (const text of [about, guarantee, ...options.rows.map((row) => row.about)])
        assert.match(text, /^[A-Z`].*\.$/s)
    })
  }
})
