import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { planOf } from '../../src/dsl/topology/plan-of.ts'
import large from '../types/large-topology.test-d.ts'

/**
 * With the library's own sources, in one thread: 3.2 s of CPU time from start to end, on the machine of docs/performance.md.
 * A busy machine gets three times as long; the test's title says how long it took.
 */
const promised = 5
const seconds = (text: string, what: string): number =>
  Number(new RegExp(`^${what}:?\\s+([\\d.]+)s`, 'm').exec(text)?.[1] ?? Number.NaN)

describe('the types of a topology of 300 steps', () => {
  it('has 300 steps', () => assert.ok(planOf(large).nodes.length >= 300))

  it(`are checked within ${promised} s`, function () {
    const dir = resolve('.cache/types-speed')
    mkdirSync(dir, { recursive: true })
    const files = ['test/types/large-topology.test-d.ts', 'src/state/codec/buffer.d.ts'].map((file) => resolve(file))
    writeFileSync(`${dir}/tsconfig.json`, JSON.stringify({ extends: resolve('tsconfig.json'), include: [], files }))
    const tsc = spawnSync(
      process.execPath,
      ['node_modules/typescript/bin/tsc', '-p', dir, '--extendedDiagnostics', '--singleThreaded'],
      { encoding: 'utf8' },
    )
    assert.equal(tsc.status, 0, tsc.stdout + tsc.stderr)
    const check = seconds(tsc.stdout, 'Check time')
    const told = `${check} s, and ${seconds(tsc.stdout, 'Total time')} s in all`
    if (this.test !== undefined) this.test.title += `: ${told}`
    assert.ok(check < 3 * promised, told)
  }).timeout(120_000)
})
