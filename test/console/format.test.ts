import assert from 'node:assert/strict'
import { duration } from '../../console/src/lib/format.ts'

describe('the console: how long', () => {
  it('is said in two units at most, each of them below the next', () => {
    const said: readonly (readonly [number, string])[] = [
      [0.42, '0.42 ms'],
      [0.999, '1.0 ms'],
      [9.96, '10 ms'],
      [999.6, '1.0 s'],
      [9960, '10 s'],
      [59_700, '1 m 0 s'],
      [119_600, '2 m 0 s'],
      [71_000, '1 m 11 s'],
      [3_599_700, '1 h 0 m'],
      [7_170_000, '2 h 0 m'],
      [86_399_000, '1 d 0 h'],
      [100_000_000, '1 d 4 h'],
    ]
    for (const [ms, text] of said) assert.equal(duration(ms), text, `${ms} ms`)
  })
})
