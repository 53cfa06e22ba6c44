import assert from 'node:assert/strict'
import { assertEqual, expectedOutputs, outputsIn } from './expected.ts'
import { freshDir, type Life, live, liveOn, longest, removeDirs, warmUp } from './lives.ts'

const count = 12_000
const seed = 3
const task = () => ({ dir: freshDir(), seed, count, ahead: 500, workers: 2 })

const recordsIn = ({ lines }: Life): number =>
  lines.reduce((n, line) => ('recordsIn' in line ? Math.max(n, line.recordsIn) : n), 0)

describe('a job that is asked to end', () => {
  before(async function () {
    this.timeout(longest)
    await warmUp()
  })
  after(removeDirs)

  it('writes what it has processed, ends with code 0, and goes on there', async () => {
    const given = task()
    const lives = await liveOn(given, (line, child, life) => {
      if (life < 3 && line.type === 'checkpoint' && line.epoch === 3) child.kill('SIGTERM')
    })
    assert.equal(lives.length, 4)
    let processed = 0
    for (const life of lives) {
      assert.equal(life.code, 0, life.stderr)
      processed += recordsIn(life)
    }
    // nothing was processed twice: each life has told all that it did
    assert.equal(processed, count + 40)
    assertEqual(await outputsIn(given.dir), await expectedOutputs(seed, count))
  }).timeout(longest)

  it('ends at once when it is asked twice', async () => {
    const given = task()
    const life = await live(
      given,
      (line, child) => {
        if (line.type !== 'checkpoint' || line.epoch !== 3) return
        child.kill('SIGTERM')
        setTimeout(() => child.kill('SIGTERM'), 100)
      },
      { STUCK: '1' },
    )
    assert.equal(life.signal, 'SIGTERM')
    await liveOn(given, () => {})
    assertEqual(await outputsIn(given.dir), await expectedOutputs(seed, count))
  }).timeout(longest)
})
