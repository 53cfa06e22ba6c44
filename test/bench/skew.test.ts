import assert from 'node:assert/strict'
import { measure } from '../../bench/suites/skew/index.ts'

describe('the benchmark of a hot key', () => {
  it('sums rightly, with one phase and two', async () => {
    const lines = await measure({ records: 3000, workers: 2 }, 1)
    assert.deepEqual(
      lines.map(({ case: name }) => name),
      ['one-phase', 'two-phase'],
    )
    for (const { ratio, hotPerSecond, uniformPerSecond } of lines)
      assert.ok(Math.abs(ratio - hotPerSecond / uniformPerSecond) < 0.02, 'above 1 the hot key is the faster one')
  }).timeout(120_000)
})
