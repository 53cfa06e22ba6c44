import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const program = join(import.meta.dirname, 'children/unheard.ts')
const run = (heardBy: string) => spawnSync(process.execPath, [program, heardBy], { encoding: 'utf8' })

describe('the failure of an app', () => {
  it('is written to standard error, and is the exit code, where nobody listens', () => {
    const { status, stdout, stderr } = run('nobody')
    assert.equal(status, 1, stderr)
    assert.equal(stdout, '')
    assert.match(stderr, /the app 'echo' failed\. Nobody awaits app\.completed/)
    assert.match(stderr, /step 'words-mapValues-1' threw at words\[0\] offset 0: Error: no luck/)
    assert.match(stderr, /children\/unheard\.ts:\d+/)
  })

  for (const heardBy of ['listener', 'completed', 'logger'])
    it(`is left to the ${heardBy} where there is one`, () => {
      const { status, stderr } = run(heardBy)
      assert.deepEqual([status, stderr], [0, ''])
    })
})
