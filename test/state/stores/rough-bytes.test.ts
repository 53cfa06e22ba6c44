import assert from 'node:assert/strict'
import fc from 'fast-check'
import { encodeValue } from '../../../src/state/codec/index.ts'
import { roughBytes } from '../../../src/state/stores/rough-bytes.ts'

describe('rough size of a value', () => {
  it('is within a factor of what the codec writes', () => {
    const value = fc.jsonValue({ maxDepth: 4 })
    fc.assert(
      fc.property(value, (one) => {
        const rough = roughBytes(one)
        const exact = encodeValue(one).length
        assert.ok(rough <= 8 * exact + 16 && exact <= 3 * rough + 16, `${rough} for ${exact}`)
      }),
    )
  })

  it('does not depend on how much of a large value is looked at', () => {
    const rows = Array.from({ length: 100_000 }, (_, i) => ({ id: i, name: 'n'.repeat(100) }))
    for (const value of [rows, new Set(rows), new Map(rows.map((row) => [row.id, row])), { rows }]) {
      const rough = roughBytes(value)
      assert.ok(rough > 8e6 && rough < 2e7, `${rough}`)
    }
  })
})
