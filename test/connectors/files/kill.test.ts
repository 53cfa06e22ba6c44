import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { upTo } from '../../up-to.ts'

describe('a job from file to file', () => {
  it('is exact when its process is killed, again and again', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'dhaara-kill-'))
    const count = 12_000
    writeFileSync(
      join(dir, 'in.csv'),
      `n\n${upTo(count)
        .map((n) => `${n}\n`)
        .join('')}`,
    )
    const bytes = (): number =>
      readdirSync(dir)
        .filter((name) => name.startsWith('copy'))
        .reduce((sum, name) => sum + (statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0)
    let kills = 0
    for (;;) {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), dir], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const ended = once(child, 'exit') as Promise<[number | null]>
      const before = bytes()
      let over = false
      void ended.then(() => (over = true))
      // a little further each time, and at another place
      while (!over && kills < 3 && bytes() < before + 6000 + 777 * kills) await new Promise(setImmediate)
      if (!over && kills < 3) {
        child.kill('SIGKILL')
        kills++
      }
      const [code] = await ended
      if (code === 0) break
      assert.equal(code, null)
    }
    assert.ok(kills > 0)
    const linesOf = (name: string): string[] => readFileSync(join(dir, name), 'utf8').split('\n').filter(Boolean)
    // rolled files in the order of their epochs, then the one that is being written
    const copies = readdirSync(dir)
      .filter((name) => /^copy-\d+\.jsonl$/.test(name))
      .sort() // prettier-ignore
    assert.deepEqual([...copies, 'copy.jsonl'].flatMap(linesOf).map(Number), upTo(count))
    assert.ok(copies.length > 1)
    const digits = linesOf('digits.jsonl').map((line) => JSON.parse(line) as { key: number; value: number })
    assert.deepEqual(
      digits.map(({ key, value }) => `${key} ${value}`),
      upTo(count).map((n) => `${n % 10} ${Math.floor(n / 10) + 1}`),
    )
    rmSync(dir, { recursive: true })
  }).timeout(120_000)
})
