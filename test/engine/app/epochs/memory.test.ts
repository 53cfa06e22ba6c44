import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Of the JavaScript heap, MiB; what the job changes between two checkpoints takes more. */
const heap = 80

describe('memory of what waits to be written', () => {
  for (const workers of [0, 2]) {
    it(`is held to the cache's limit by early checkpoints, ${workers === 0 ? 'in one thread' : 'on workers'}`, () => {
      const script = join(import.meta.dirname, '..', 'children', 'long-interval.ts')
      const args = [`--max-old-space-size=${heap}`, script, String(workers)]
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      assert.equal(status, 0, stderr)
      const { epochs } = JSON.parse(stdout) as { epochs: number }
      assert.ok(epochs >= 10, `${epochs} checkpoints`)
    }).timeout(120_000)
  }
})
