import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

/** Files that say, with `@ts-expect-error`, what must and must not compile: `*.test-d.ts`. */
const files = globSync('test/**/*.test-d.ts').toSorted()

if (files.length > 0) {
  describe('types', () => {
    let output: string
    before(function () {
      this.timeout(120_000)
      const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], { encoding: 'utf8' })
      assert.equal(tsc.error, undefined)
      output = tsc.stdout + tsc.stderr
    })
    for (const file of files) {
      it(`${file} compiles, and refuses what it must`, () => {
        assert.deepEqual(
          output.split('\n').filter((line) => line.replaceAll('\\', '/').startsWith(`${file}(`)),
          [],
        )
      })
    }
  })
}
