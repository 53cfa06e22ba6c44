import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { changesBetween } from '../../bench/compare.ts'

const line = (rates: number[], ratesAgainst?: number[], name = 'tumbling') => ({
  suite: 'ceilings',
  case: name,
  subject: 'dhaara',
  variant: 'default',
  rates,
  ...(ratesAgainst && { against: 'hand-written', ratesAgainst }),
})

describe('benchmark comparison', () => {
  it('tells faster, slower and unchanged apart', () => {
    const before = line([100, 101, 99, 102, 98])
    const verdictOf = (rates: number[]) => changesBetween([before], [line(rates)])[0]?.verdict
    assert.equal(verdictOf([120, 121, 119, 122, 118]), 'faster')
    assert.equal(verdictOf([80, 81, 79, 82, 78]), 'slower')
    assert.equal(verdictOf([97, 103, 99, 100, 104]), 'unchanged')
  })

  it('compares ratios to the yardstick, run by run, so that a slower machine is no slower engine', () => {
    const a = line([80, 81, 79, 80, 82], [100, 101, 99, 100, 102])
    const b = line([40, 41, 39, 40, 42], [50, 51, 49, 50, 52])
    const [change] = changesBetween([a], [b])
    assert.equal(change?.of, 'ratio')
    assert.equal(change.verdict, 'unchanged')
    assert.ok(Math.abs(change.estimate - 1) < 0.02)
  })

  it('leaves out what only one report has', () => {
    assert.deepEqual(changesBetween([line([1], undefined, 'a')], [line([1], undefined, 'b')]), [])
  })

  it('compares lines of every suite by what they have', () => {
    const lines = [
      { suite: 'latency', case: 'embedded', subject: 'dhaara', variant: 'exactly-once, 50 %', p50Ms: 60, p99Ms: 110 },
      { suite: 'cep', case: 'growth-loop', size: 100, nsPerEvent: 300, against: 'growth-loop 10', ratio: 1.1 },
      { suite: 'cep', case: 'growth-loop', size: 1000, nsPerEvent: 400, against: 'growth-loop 10', ratio: 1.2 },
      { suite: 'micro', case: 'codecs', subject: 'a', recordsPerSecond: 1e6, spread: 0.1, runs: 10 },
      { suite: 'micro', case: 'codecs', subject: 'b', recordsPerSecond: 1e6, spread: 0.1, against: 'a', ratio: 1 },
    ]
    const same = changesBetween(lines, lines)
    assert.deepEqual(
      same.map(({ of, verdict }) => `${of} ${verdict}`),
      ['time unchanged', 'time unchanged', 'time unchanged', 'rate unchanged', 'ratio unchanged'],
    )
    const later = lines.map((one) => ({
      ...one,
      ...(one.p50Ms && { p50Ms: 120 }),
      ...(one.nsPerEvent && { nsPerEvent: 100 }),
      ...(one.recordsPerSecond && { recordsPerSecond: 3e6 }),
      ...(one.subject === 'b' && { ratio: 0.5 }),
    }))
    assert.deepEqual(
      changesBetween(lines, later).map(({ verdict }) => verdict),
      ['slower', 'faster', 'faster', 'faster', 'slower'],
    )
    assert.deepEqual(changesBetween([{ suite: 'queries', case: 'x' }], [{ suite: 'queries', case: 'x' }]), [])
  })

  describe('as a command', () => {
    const dir = mkdtempSync(join(tmpdir(), 'dhaara-compare-'))
    const report = (name: string, ...lines: object[]): string => {
      const path = join(dir, name)
      writeFileSync(path, lines.map((each) => `${JSON.stringify(each)}\n`).join(''))
      return path
    }
    after(() => rmSync(dir, { recursive: true }))
    const run = (...args: string[]) =>
      spawnSync(process.execPath, ['bench/main.ts', 'compare', ...args], { encoding: 'utf8' })

    it('prints a line a change, and fails if one became slower', () => {
      const a = report('a.json', line([100, 101, 99, 102, 98]))
      const b = report('b.json', line([50, 51, 49, 52, 48]))
      const slower = run(a, b)
      assert.match(
        slower.stdout,
        /^ceilings tumbling dhaara {2}0\.500 {2}\[0\.\d+, 0\.\d+\] at 97 % {2}rate {2}slower\n$/,
      )
      assert.equal(slower.status, 1)
      assert.match(
        execFileSync(process.execPath, ['bench/main.ts', 'compare', a, a], { encoding: 'utf8' }),
        /unchanged/,
      )
    })

    it('says what is wrong with its input', () => {
      const a = report('a.json', line([1]))
      assert.equal(run(a).status, 2)
      writeFileSync(join(dir, 'text.json'), 'case subject\n')
      const { status, stderr } = run(a, join(dir, 'text.json'))
      assert.deepEqual([status, stderr.includes('line 1 is no JSON')], [2, true])
    })
  })
})
