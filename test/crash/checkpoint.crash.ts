import assert from 'node:assert/strict'
import { failPlaces } from '../../src/engine/app/epochs/failpoints.ts'
import { assertEqual, expectedOutputs, type Outputs, outputsIn } from './expected.ts'
import { freshDir, liveOn, longest, removeDirs, warmUp } from './lives.ts'

const count = 12_000
const seed = 11

/** Of a held worker's checkpoint: two epochs are open, and the other worker has applied what it sent in the first. */
const held = ['first-part', 'after-write', 'after-told', 'before-seal', 'after-seal', 'after-written'] as const

describe('a job killed in its checkpoint', () => {
  let expected: Outputs

  before(async function () {
    this.timeout(longest)
    await warmUp()
    expected = await expectedOutputs(seed, count)
  })
  after(removeDirs)

  async function killedAt(failpoints: (life: number) => string): Promise<void> {
    const dir = freshDir()
    const lives = await liveOn(
      { dir, seed, count, ahead: 500, workers: 2 },
      () => {},
      (life) => (life < 2 ? { FAILPOINTS: failpoints(life) } : {}),
    )
    assert.deepEqual(
      lives.map(({ signal }) => signal),
      ['SIGKILL', 'SIGKILL', null],
    )
    assertEqual(await outputsIn(dir), expected)
  }

  for (const place of failPlaces) {
    it(`at '${place}'`, () => killedAt((life) => `${place}:${2 + 4 * life}`)).timeout(longest)
  }
  for (const place of held) {
    it(`at '${place}', a worker being held back at the barrier`, () =>
      killedAt((life) => `hold-${life},${place}:${3 + 4 * life}`)).timeout(longest)
  }
})
