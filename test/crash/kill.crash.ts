import assert from 'node:assert/strict'
import { assertEqual, expectedOutputs, type Outputs, outputsIn } from './expected.ts'
import { freshDir, liveOn, longest, removeDirs, type Task, warmUp } from './lives.ts'

const wanted = Number(process.env['KILLS'] ?? 40)

const count = 30_000
const seed = 7
const task = (): Task => ({ dir: freshDir(), seed, count, ahead: 1000, workers: 2 })

describe(`a job killed ${wanted} times at random`, () => {
  let expected: Outputs

  before(async function () {
    this.timeout(longest)
    await warmUp()
    expected = await expectedOutputs(seed, count)
  })
  after(removeDirs)

  let kills = 0
  const rounds = Math.ceil(wanted / 5)
  for (let round = 1; round <= rounds; round++) {
    it(`gives what an undisturbed one gives (${round} of ${rounds})`, async () => {
      let killed = 0
      const { dir, ...rest } = task()
      await liveOn({ dir, ...rest }, (line, child) => {
        const early = (killed + round) % 4 === 0
        if (line.type !== (early ? 'spawned' : 'running') || killed >= Math.min(8, wanted - kills)) return
        // while it starts; else before anything was written, in the middle, or close to the end
        setTimeout(
          () => {
            if (!child.kill('SIGKILL')) return
            killed++
            kills++
          },
          Math.random() * (early ? 1000 : 500),
        )
      })
      assertEqual(await outputsIn(dir), expected)
    }).timeout(longest)
  }

  it('was killed often enough', () => {
    assert.ok(kills >= Math.min(wanted, rounds), `only ${kills} kills`)
  })
})
