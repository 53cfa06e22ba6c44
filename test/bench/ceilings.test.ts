import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Packr } from 'msgpackr'
import { expected, measure } from '../../bench/harness/measure.ts'
import type { RunSpec } from '../../bench/harness/run.ts'
import { runCase } from '../../bench/harness/runner.ts'
import type { BenchCase, Reference, Subject } from '../../bench/harness/subject.ts'
import { Rocks } from '../../bench/suites/ceilings/common/rocks.ts'
import { suite } from '../../bench/suites/ceilings/index.ts'
import { writeWorkload } from '../../bench/workload/chunks.ts'
import { type Order, orderGenerator } from '../../bench/workload/orders.ts'

const load = async <T>(path: string): Promise<T> => (await import(pathToFileURL(path).href)) as T

/** Few customers and long jumps in time, so that sessions end, merge and come late even in a short input. */
function roughOrders(): () => Order {
  const next = orderGenerator({ keys: 'uniform', seed: 7 })
  let time = 1_699_999_980_000
  return () => {
    const order = next()
    time += order.amount % 41 === 0 ? (order.amount * 7) % 45_000 : order.amount % 300
    const behind = order.amount % 9 === 0 ? (order.amount * 13) % 40_000 : 0
    return { ...order, customer: order.customer % 40, ts: time - behind }
  }
}

describe('hand-written yardsticks', () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'dhaara-ceilings-'))
  })
  after(() => rmSync(dir, { recursive: true }))

  const check = async (bench: BenchCase, name: string, generator: () => unknown, chunks: number): Promise<void> => {
    const chunkSize = 5_000
    const records = chunkSize * chunks
    const workload = join(dir, `${name}.chunks`)
    const state = mkdtempSync(join(dir, 'state-'))
    const { subject } = await load<{ subject: Subject<unknown> }>(join(bench.folder, `${bench.yardstick}.ts`))
    const { reference } = await load<{ reference: Reference<unknown> }>(join(bench.folder, 'reference.ts'))
    writeWorkload(workload, { records, chunkSize }, generator)
    const spec: RunSpec = { workload, input: bench.input, warmUp: chunkSize, records: records - chunkSize }
    const { rows, checksum } = await measure(subject, spec, state, 'default')
    assert.ok(rows > 0)
    assert.deepEqual({ rows, checksum }, expected(reference, spec))
  }

  for (const bench of suite.cases.filter(({ onlyNamed }) => onlyNamed !== true)) {
    it(`${bench.name}: rows as the reference says`, () => check(bench, bench.workload, bench.generator(), 4))
  }
  for (const name of ['tumbling', 'tumbling-city', 'hopping', 'session']) {
    const bench = suite.cases.find((other) => other.name === name)!
    it(`${name}: rows as the reference says, with late records and long gaps`, () =>
      check(bench, 'rough', roughOrders(), 4))
  }

  it('keyed-aggregate: the database has the totals and the position at the end', async () => {
    const bench = suite.cases.find((other) => other.name === 'keyed-aggregate')!
    await check(bench, 'again', bench.generator(), 2)
    const { subject } = await load<{ subject: Subject }>(join(bench.folder, 'hand-written.ts'))
    const state = mkdtempSync(join(dir, 'state-'))
    const spec = { workload: join(dir, 'again.chunks'), input: 'bytes', warmUp: 5_000, records: 5_000 } as const
    await measure(subject, spec, state, 'default')
    const next = bench.generator()
    const amounts = Array.from({ length: 10_000 }, () => next() as Order)
      .filter((order) => order.customer === 4_711)
      .map((order) => order.amount)
    const db = await Rocks.open(state)
    const key = Buffer.alloc(4)
    key.writeUInt32BE(4_711)
    const [totals, position] = db.getMany([key, Buffer.from([0xff])])
    await db.close()
    assert.equal(position!.readDoubleBE(0), 10_000)
    assert.ok(totals !== undefined && amounts.length > 0)
    assert.deepEqual(new Packr({ structures: [['count', 'sum', 'max']] }).unpack(totals), {
      count: amounts.length,
      sum: amounts.reduce((a, b) => a + b, 0),
      max: Math.max(...amounts),
    })
  })
})

describe('benchmark harness', () => {
  let cache: string
  before(() => {
    cache = mkdtempSync(join(tmpdir(), 'dhaara-harness-'))
  })
  after(() => rmSync(cache, { recursive: true }))

  const bench = suite.cases.find((other) => other.name === 'json-in-out')!
  const tiny = { runs: 2, records: 2_000, warmUp: 1_000, chunkSize: 500, log: () => {} }
  const against = [{ name: 'hand-written', variants: ['default'] }]

  it('holds a subject against the yardstick in processes of their own', async () => {
    const lines = await runCase('ceilings', { ...bench, subjects: against }, { ...tiny, cache })
    assert.deepEqual(
      lines.map((line) => [line.subject, line.against, line.correct, line.records, line.runs]),
      [
        ['hand-written', undefined, true, 2_000, 2],
        ['hand-written', 'hand-written', true, 2_000, 2],
      ],
    )
    assert.equal(lines[0]!.checksum, lines[1]!.checksum)
    assert.ok(lines.every((line) => line.cpuSeconds > 0 && line.seconds > 0 && line.peakRssMb > 10))
    assert.ok(lines[1]!.ratio! > 0)
  })

  it('says so when the rows are wrong', async () => {
    // The yardstick of another case, held against this case's reference.
    const wrong = { ...bench, yardstick: '../table-join/hand-written', subjects: [] }
    const [line] = await runCase('ceilings', wrong, { ...tiny, cache })
    assert.equal(line!.correct, false)
  })

  it('fails when a subject ends without a result', async () => {
    const broken = { ...bench, yardstick: 'reference', subjects: [] }
    await assert.rejects(runCase('ceilings', broken, { ...tiny, cache }), /ended without a result/)
  })
})
