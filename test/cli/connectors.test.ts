import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectors } from '../../src/connectors/index.ts'
import { dhaara, linesOf } from './dhaara.ts'

const job = fileURLToPath(new URL('fixtures/csv-job.ts', import.meta.url))

describe('dhaara connectors', () => {
  it('lists them all, and the options of one', async () => {
    const list = await dhaara(['connectors'])
    for (const { name, about } of connectors) assert.ok(list.out.includes(`${name.padEnd(18)}${about}`), name)
    const one = await dhaara(['connectors', 'csvSource'])
    assert.match(one.out, /^ {2}path: text, or a list of texts, required\n {6}The file/m)
    assert.match(one.out, /^ {2}follow: true or false, default false$/m)
    const wrong = await dhaara(['connectors', 'nothing'])
    assert.equal(wrong.code, 2)
    assert.match(wrong.err, /there are jsonLinesSource/)
    const json = JSON.parse((await dhaara(['connectors', '--json'])).out) as unknown[]
    assert.equal(json.length, connectors.length)
  }).timeout(60_000)
})

describe('dhaara run with sources and sinks of its own', () => {
  for (const workers of ['0', '2']) {
    it(`reads a CSV file to its end and goes on there, with ${workers} workers`, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'dhaara-csv-job-'))
      const run = () =>
        dhaara(['run', job, '--set', `dir=${dir}`, '--dir', join(dir, 'data'), '--workers', workers, '--until-end'])
      writeFileSync(join(dir, 'orders.csv'), 'city,total\nPune,10\nDelhi,5\nPune,1.5\n')
      const first = await run()
      assert.equal(first.code, 0, first.err)
      appendFileSync(join(dir, 'orders.csv'), 'Delhi,7\n')
      const second = await run()
      assert.equal(second.code, 0, second.err)
      assert.deepEqual(linesOf(readFileSync(join(dir, 'totals.jsonl'), 'utf8')), [
        { city: 'Pune', total: 10 },
        { city: 'Delhi', total: 5 },
        { city: 'Pune', total: 11.5 },
        { city: 'Delhi', total: 12 },
      ])
      rmSync(dir, { recursive: true })
    }).timeout(60_000)
  }
})
