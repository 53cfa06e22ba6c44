import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Sample } from './child.ts'

const seconds = Number(process.env['SECONDS'] ?? 30)
/** The app's own limit, MiB, as child.ts has it. */
const limit = 128
/** The young generation and what is on its way, MiB. */
const slack = 96

async function run(dir: string): Promise<Sample[]> {
  const args = ['--expose-gc', join(import.meta.dirname, 'child.ts'), dir, String(seconds)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const samples: Sample[] = []
  for await (const line of createInterface(child.stdout)) samples.push(JSON.parse(line) as Sample)
  return samples
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number

describe('memory under steady load', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-steady-'))
  after(() => rmSync(dir, { recursive: true, force: true }))

  it(`does not grow in ${seconds} seconds, and stays within the limit`, async () => {
    const samples = await run(dir)
    assert.equal(samples.length, seconds + 1)
    const [idle] = samples as [Sample]
    const third = Math.floor(samples.length / 3)
    const before = samples.slice(third, 2 * third)
    const after = samples.slice(2 * third)
    const text = samples.map((sample) => JSON.stringify(sample)).join('\n')
    assert.ok((after.at(-1) as Sample).records > (before[0] as Sample).records, `nothing was processed\n${text}`)
    for (const [of, room] of [
      ['heapMb', 8],
      ['buffersMb', 8],
      ['rssMb', 24],
    ] as const) {
      const [was, is] = [before, after].map((some) => median(some.map((sample) => sample[of]))) as [number, number]
      assert.ok(is <= was * 1.1 + room, `${of} went from ${was.toFixed(0)} to ${is.toFixed(0)}\n${text}`)
    }
    const most = Math.max(...samples.map(({ rssMb }) => rssMb))
    assert.ok(
      most <= idle.rssMb + limit + slack,
      `${most.toFixed(0)} MB at most, ${idle.rssMb.toFixed(0)} idle\n${text}`,
    )
  }).timeout((seconds + 60) * 2000)
})
