import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { freshDir, removeDirs, warmUp } from './lives.ts'

interface Cost {
  readonly cpuMs: number
  readonly wallMs: number
}

const few = 1000
const many = 300_000

describe('a restart after kill -9', () => {
  after(removeDirs)

  /** Starts, takes in visits of so many keys, and is killed. */
  function live(dir: string, keys: number): Cost {
    const args = [join(import.meta.dirname, 'restart-child.ts'), dir, String(keys)]
    const { stdout, stderr, signal } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.equal(signal, 'SIGKILL', stderr)
    return JSON.parse(stdout) as Cost
  }

  it('costs as much with 300,000 keys as with 1,000', async () => {
    await warmUp()
    const [small, large] = [freshDir(), freshDir()]
    live(small, few)
    live(large, many)
    const costs = Array.from({ length: 3 }, () => [live(small, few), live(large, few)] as const)
    const best = (of: 0 | 1) => Math.min(...costs.map((pair) => pair[of].cpuMs))
    // processor time, so that a busy machine does not count; reading all keys would take seconds
    assert.ok(best(1) <= best(0) * 1.5 + 200, JSON.stringify(costs))
  }).timeout(600_000)
})
