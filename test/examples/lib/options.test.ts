import assert from 'node:assert/strict'
import { parseOptions } from '../../../examples/lib/options.ts'

describe('examples/lib/options', () => {
  it('has defaults', () => {
    assert.deepEqual(parseOptions([]), {
      count: 100_000,
      seed: 1,
      late: 0.01,
      disorder: 0.05,
      rate: undefined,
      out: undefined,
    })
  })

  it('reads every option', () => {
    const args = ['--count', '10', '--seed=7', '--rate', '50', '--late', '0', '--disorder', '0.5', '--out', 'x.jsonl']
    const expected = { count: 10, seed: 7, late: 0, disorder: 0.5, rate: 50, out: 'x.jsonl' }
    assert.deepEqual(parseOptions(args), expected)
  })

  for (const args of [
    ['--count', '1.5'],
    ['--count', ''],
    ['--count=-1'],
    ['--late', '2'],
    ['--late', '0.6', '--disorder', '0.6'],
    ['--speed', '1'],
    ['orders'],
  ]) {
    it(`refuses ${args.join(' ')}`, () => {
      assert.throws(() => parseOptions(args))
    })
  }
})
