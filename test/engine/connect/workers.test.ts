import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedBroker, StreamsApp } from '../../../src/index.ts'

const url = new URL('./children/spread.ts', import.meta.url)

const rowsIn = (dir: string, start: string): any[] =>
  readdirSync(dir)
    .filter((name) => name.startsWith(start))
    .flatMap((name) =>
      readFileSync(join(dir, name), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    )

describe("sources and sinks of the user's own on worker threads", () => {
  for (const workers of [1, 3]) {
    it(`give the same rows with ${workers}`, async function () {
      this.timeout(60_000)
      const dir = mkdtempSync(join(tmpdir(), 'dhaara-own-'))
      const broker = embeddedBroker()
      for (const count of ['200', '500']) {
        const settings = { dir, count }
        await using app = new StreamsApp({ applicationId: 'spread', topology: url, workers, settings, broker })
        await app.start()
        await app.completed
      }
      const numbers = rowsIn(dir, 'numbers-') as number[]
      assert.deepEqual(
        numbers.sort((a, b) => a - b),
        Array.from({ length: 500 }, (_, i) => i),
      )
      const counts = rowsIn(dir, 'counts-') as { key: number; value: number }[]
      const found = counts.map(({ key, value }) => `${key} ${value}`).sort()
      assert.deepEqual(found, Array.from({ length: 500 }, (_, i) => `${i % 10} ${Math.floor(i / 10) + 1}`).sort())
      await broker[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true })
    })
  }

  it('are exact when threads die', async function () {
    this.timeout(120_000)
    const dir = mkdtempSync(join(tmpdir(), 'dhaara-own-'))
    const topology = new URL('./children/dying.ts', import.meta.url)
    {
      await using app = new StreamsApp({
        applicationId: 'dying',
        topology,
        workers: 2,
        settings: { dir },
        checkpointInterval: 2,
      })
      await app.start()
      await app.completed
    }
    assert.equal(readdirSync(dir).filter((name) => name.startsWith('died-')).length, 3)
    const numbers = rowsIn(dir, 'numbers-') as number[]
    const expected = Array.from({ length: 600 }, (_, i) => i)
    assert.deepEqual(
      numbers.sort((a, b) => a - b),
      expected,
    ) // prettier-ignore
    const counts = rowsIn(dir, 'counts-').map(({ key, value }) => `${key} ${value}`)
    assert.deepEqual(counts.sort(), expected.map((i) => `${i % 10} ${Math.floor(i / 10) + 1}`).sort())
    rmSync(dir, { recursive: true })
  })
})
