import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { startApart } from '../../bench/harness/apart.ts'
import { replaced } from '../../bench/record.ts'
import type { ScaleJob, ScaleQuestions } from '../../bench/suites/scale/child.ts'
import { areShared } from '../../bench/suites/scale/processes.ts'

const script = resolve(import.meta.dirname, '../../bench/suites/scale/child.ts')
const job: ScaleJob = {
  records: 2000,
  keys: 300,
  partitions: 2,
  workers: 0,
  fillSeconds: 60,
  round: 100,
}

describe('the benchmark of what grows', function () {
  this.timeout(60_000)

  it('counts on in the state that it has filled, and no longer fills it when the time is up', async () => {
    for (const [fillSeconds, keys] of [
      [60, 300],
      [0, 100],
    ] as const) {
      const child = await startApart<ScaleQuestions>(script, { ...job, fillSeconds })
      const figures = await child.ask('measure')
      await child.end()
      assert.deepEqual([figures.keys, figures.rows, figures.correct], [keys, 2000, true])
      // of fewer keys each is counted higher
      assert.ok(Number(figures.checksum) > 2000 * (2000 / keys / 2), figures.checksum)
    }
  })

  it('says what went wrong in a process of its own', async () => {
    const child = await startApart<ScaleQuestions & { readonly nothing: void }>(script, job)
    await assert.rejects(child.ask('nothing'), /not a function/)
    await child.end()
    await assert.rejects(child.ask('measure'), /ended|closed/)
  })

  it('starts its clock when each process has its share of the tasks', () => {
    const tasks = Array.from({ length: 8 }, (_, partition) => `0_${partition}`)
    assert.ok(areShared([tasks]))
    assert.ok(areShared([tasks.slice(0, 3), tasks.slice(3, 6), tasks.slice(6)]))
    assert.ok(!areShared([tasks, []]))
    assert.ok(!areShared([tasks.slice(0, 4), tasks.slice(4, 7)]))
    assert.ok(!areShared([tasks.slice(0, 4), tasks.slice(3, 7)]))
  })

  it('is skipped with the reason where there is no Java', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['bench/main.ts', 'scale', 'processes', '--runs', '1', '--json'],
      { encoding: 'utf8', env: { ...process.env, PATH: '' } },
    )
    assert.deepEqual([status, stdout], [0, ''], stderr)
    assert.match(stderr, /^Skipped: processes, since Java/)
  })
})

describe('recording', () => {
  it('replaces the lines of the cases that were measured, and no others', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ suite: 'scale', case: name, run: 1 }))
    const other = { suite: 'kafka', case: 'a' }
    const anew = { suite: 'scale', case: 'a', run: 2 }
    assert.deepEqual(replaced([a!, other, b!, a!], [anew, anew, c!]), [other, b, anew, anew, c])
  })
})
