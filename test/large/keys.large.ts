import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const keys = Number(process.env['KEYS'] ?? 2_000_000)
/** Of the JavaScript heap, MiB. */
const heap = 512
/** What the app was told to stay in, MiB, half of which is the decoded cache: that lies in the heap. */
const memory = 512
/** Node itself, its code, and the threads of the database. */
const runtime = 200

describe('state that is larger than memory', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-large-'))
  after(() => rmSync(dir, { recursive: true, force: true }))

  it(`keeps ${keys.toLocaleString('en-US')} keys, and finds them again`, function () {
    const script = join(import.meta.dirname, 'child.ts')
    const args = [`--max-old-space-size=${heap}`, script, dir, String(keys)]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    const { peakRssMb } = JSON.parse(stdout) as { peakRssMb: number }
    console.error(stdout.trim())
    assert.ok(peakRssMb <= heap + memory / 2 + runtime, `${peakRssMb} MB of memory were used at most`)
  }).timeout(keys * 0.5)
})
