import assert from 'node:assert/strict'
import type { Measured } from '../../bench/harness/run.ts'
import { lineOf, tableOf } from '../../bench/harness/report.ts'
import { median, ratioBetween, spread, summarise } from '../../bench/harness/statistics.ts'

const run = (seconds: number, cpuSeconds: number, peakRssMb = 100): Measured => ({
  records: 1_000,
  seconds,
  cpuSeconds,
  peakRssMb,
  rows: 10,
  checksum: 'c0ffee',
})

describe('benchmark statistics', () => {
  it('takes the middle value, or the mean of the two in the middle', () => {
    assert.equal(median([5, 1, 100]), 5)
    assert.equal(median([4, 1, 100, 2]), 3)
    assert.throws(() => median([]), RangeError)
  })

  it('tells the spread as a share of the median', () => assert.equal(spread([9, 10, 12]), 0.3))

  it('sums up each figure by its own median, and spreads the one that the ratio is made of', () => {
    const runs = [run(1, 2, 90), run(2, 4, 110), run(4, 1, 100)]
    const summary = summarise(runs, 'cpu')
    assert.deepEqual(summary, {
      records: 1_000,
      seconds: 2,
      recordsPerSecond: 500,
      cpuSeconds: 2,
      recordsPerCpuSecond: 500,
      peakRssMb: 100,
      spread: 1.5,
      runs: 3,
      rates: [500, 250, 1000],
    })
    assert.equal(summarise(runs, 'wall').spread, 1.5)
  })

  it('is above 1 where the subject is faster, by the figure that was asked for', () => {
    const subject = summarise([run(1, 4)], 'cpu')
    const yardstick = summarise([run(2, 2)], 'cpu')
    assert.equal(ratioBetween(subject, yardstick, 'wall'), 2)
    assert.equal(ratioBetween(subject, yardstick, 'cpu'), 0.5)
  })
})

describe('benchmark report', () => {
  const parts = {
    suite: 's',
    case: 'c',
    variant: 'default',
    ratioOf: 'cpu',
    correct: true,
    checksum: 'c0ffee',
  } as const
  const summary = summarise([run(0.5, 0.25)], 'cpu')
  const yardstick = lineOf({ ...parts, subject: 'hand-written', summary })
  const held = lineOf({
    ...parts,
    subject: 'dhaara',
    summary,
    yardstick: { name: 'hand-written', summary },
    correct: false,
  })

  it('has the names that programs read', () => {
    const names =
      'suite case subject variant records seconds recordsPerSecond cpuSeconds recordsPerCpuSecond peakRssMb ' +
      'against ratio ratioOf ratesAgainst spread runs rates correct checksum cores cpu memoryGb node versions commit'
    assert.deepEqual(Object.keys(held), names.split(' '))
    assert.equal(held.ratio, 1)
    assert.equal(held.recordsPerSecond, 2_000)
    assert.equal('ratio' in yardstick, false)
  })

  it('shows people a table in which a wrong result stands out', () => {
    const [, first, second] = tableOf([yardstick, held]).split('\n')
    assert.match(first!, /^c +hand-written +2,000 +4,000 .* yes$/)
    assert.match(second!, /^c +dhaara .*hand-written +1\.00 cpu +NO$/)
  })
})
