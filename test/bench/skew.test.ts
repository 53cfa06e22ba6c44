import assert from 'node:assert/strict'
import { measure } from '../../bench/suites/skew/index.ts'

describe('the benchmark of a hot key', () => {
  it('sums rightly, with one phase and two', async () => {
    const lines = await measure({ records: 3000, workers: 2 }, 1)
    assert.deepEqual(
      lines.map(({ case: name, ratio }) => [name, ratio > 0]),
      [
        ['one-phase', true],
        ['two-phase', true],
      ],
    )
  }).timeout(120_000)
})
