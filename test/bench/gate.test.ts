import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main, verdicts } from '../../bench/gate.ts'

const line = (rates: readonly number[], ratesAgainst: readonly number[] | undefined, more: object = {}) => ({
  suite: 'ceilings',
  case: 'json-in-out',
  subject: 'dhaara',
  variant: 'codegen',
  against: 'hand-written',
  rates,
  correct: true,
  ...(ratesAgainst === undefined ? {} : { ratesAgainst }),
  ...more,
})

const steady = [100, 101, 99, 100, 102, 98, 100]
const usual = line([80, 81, 79, 80, 82, 78, 80], steady)

describe('bench gate', () => {
  const fails = (rates: readonly number[], against = steady): boolean[] =>
    verdicts([usual], [line(rates, against)]).map((verdict) => verdict.fails)

  it('passes a ratio that is where it was, or higher', () => {
    assert.deepEqual(fails([80, 80, 81, 79, 80, 82, 78]), [false])
    assert.deepEqual(fails([95, 96, 94, 95, 97, 93, 95]), [false])
  })

  it('passes on a machine of another speed', () => {
    assert.deepEqual(
      fails(
        usual.rates.map((rate) => rate / 3),
        steady.map((rate) => rate / 3),
      ),
      [false],
    )
  })

  it('fails a ratio that fell by more than its noise', () => {
    assert.deepEqual(fails([60, 61, 59, 60, 62, 58, 60]), [true])
  })

  it('passes a fall that is within the noise of its own runs', () => {
    assert.deepEqual(fails([74, 50, 98, 74, 60, 90, 74]), [false])
  })

  it('passes a fall that a few noisy runs cannot tell from chance', () => {
    const [verdict] = verdicts([line([80, 70, 90], [100, 100, 100])], [line([76, 66, 86], [100, 100, 100])])
    assert.equal(verdict?.fails, false)
  })

  it('takes a single run against a single one at its word', () => {
    const [verdict] = verdicts([line([80], [100])], [line([78], [100])])
    assert.equal(verdict?.fails, true)
  })

  it('takes the ratio that a line states, and its spread where it does not tell its runs', () => {
    const stated = { ...usual, ratio: 0.8 }
    const verdict = (more: object): boolean | undefined => verdicts([stated], [{ ...stated, ...more }])[0]?.fails
    assert.equal(verdict({}), false)
    assert.equal(verdict({ ratio: 0.4 }), true)
    const { rates: _, ratesAgainst: __, ...bare } = { ...stated, spread: 0.04, runs: 5 }
    const bareVerdict = (ratio: number): boolean | undefined => verdicts([bare], [{ ...bare, ratio }])[0]?.fails
    assert.equal(bareVerdict(0.79), false)
    assert.equal(bareVerdict(0.6), true)
  })

  it('looks at lines of the same name alone', () => {
    assert.deepEqual(verdicts([usual], [line([10], [100], { variant: 'other' })]), [])
    assert.deepEqual(verdicts([usual], [line([10], undefined)]), [])
  })

  describe('from files', () => {
    let dir: string
    before(() => {
      dir = mkdtempSync(join(tmpdir(), 'dhaara-gate-'))
    })
    after(() => rmSync(dir, { recursive: true }))
    const baseline = line([80, 81, 79, 80, 82, 78, 80], steady)

    const run = async (report: object): Promise<number> => {
      const [a, b] = ['baseline.json', 'report.json'].map((name) => join(dir, name)) as [string, string]
      writeFileSync(a, `${JSON.stringify(baseline)}\n`)
      // A line of another suite has no rates at all.
      writeFileSync(b, `${JSON.stringify({ suite: 'micro', case: 'codecs' })}\n${JSON.stringify(report)}\n`)
      return main([b, '--baseline', a])
    }

    it('says by its exit code whether something fell, is wrong, or is not there', async () => {
      assert.equal(await run(baseline), 0)
      assert.equal(await run(line([60, 61, 59, 60, 62, 58, 60], steady)), 1)
      assert.equal(await run({ ...baseline, correct: false }), 1)
      assert.equal(await run({ ...baseline, case: 'other' }), 2)
    })

    it('asks for a report', async () => {
      await assert.rejects(main([]), /bench:gate/)
    })
  })
})
