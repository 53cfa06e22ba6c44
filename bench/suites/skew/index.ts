/**
 * What a hot key costs: sums by key on worker threads, behind a repartition, where half of all records have one key, against
 * keys that are all as frequent. `twoPhase` adds up before the repartition; without it the hot key's task has half of the work.
 *
 *     npm run bench -- skew [--records 400000] [--runs 5] [--workers 2] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { embeddedBroker, serdes, StreamsApp } from '../../../src/index.ts'
import { positiveOption, wholeOption } from '../../harness/options.ts'
import { type Environment, environment } from '../../harness/report.ts'
import { median } from '../../harness/statistics.ts'
import type { Sale } from './topology.ts'

const partitions = 4
const shops = 10_000
/** Of each second that a run is to take, about. */
const recordsPerSecond = 100_000
const cases = [
  ['one-phase', '1'],
  ['two-phase', '2'],
] as const
const url = new URL('topology.ts', import.meta.url)

interface Load {
  readonly records: number
  readonly workers: number
}

export interface SkewLine extends Environment {
  readonly suite: 'skew'
  readonly case: 'one-phase' | 'two-phase'
  readonly subject: 'dhaara'
  readonly variant: 'hot'
  readonly records: number
  readonly workers: number
  /** That of the hot one. */
  readonly recordsPerSecond: number
  /** Medians, records a second. */
  readonly uniformPerSecond: number
  readonly hotPerSecond: number
  readonly against: 'uniform'
  /** Records a second with the hot key, as a share of those without: median of the pairs' ratios. */
  readonly ratio: number
  readonly ratioOf: 'wall'
  /** Of the pairs' ratios: (max - min) / median. */
  readonly spread: number
  readonly runs: number
  /** Held to what was sent, in each run: a wrong sum ends the measurement. */
  readonly correct: true
}

export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      records: { type: 'string' },
      seconds: { type: 'string', default: '4' },
      runs: { type: 'string', default: '5' },
      workers: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.find((name) => !cases.some(([known]) => name === known))
  if (unknown !== undefined)
    throw new RangeError(
      `The suite skew has no case '${unknown}'; there are: ${cases.map(([name]) => name).join(', ')}`,
    )
  const load = {
    records:
      values.records === undefined
        ? Math.ceil(positiveOption('seconds', values.seconds) * recordsPerSecond)
        : wholeOption('records', values.records),
    workers: wholeOption('workers', values.workers),
  }
  const lines = await measure(load, wholeOption('runs', values.runs), positionals)
  if (values.json) for (const line of lines) console.log(JSON.stringify(line))
  else
    console.table(
      lines.map(({ case: name, uniformPerSecond, hotPerSecond, ratio }) => ({
        name,
        uniformPerSecond,
        hotPerSecond,
        ratio,
      })),
    )
  return 0
}

/** Uniform and hot in turn, so that what else the machine does falls on both. */
export async function measure(load: Load, runs: number, named: readonly string[] = []): Promise<SkewLine[]> {
  const lines: SkewLine[] = []
  for (const [name, phases] of cases.filter(([one]) => named.length === 0 || named.includes(one))) {
    const pairs: { readonly uniform: number; readonly hot: number }[] = []
    for (let run = 0; run < runs; run++)
      pairs.push({ uniform: await timed(load, phases, false), hot: await timed(load, phases, true) })
    const rate = (of: 'uniform' | 'hot') => Math.round(load.records / (median(pairs.map((pair) => pair[of])) / 1000))
    const ratios = pairs.map(({ hot, uniform }) => uniform / hot)
    const ratio = median(ratios)
    lines.push({
      suite: 'skew',
      case: name,
      subject: 'dhaara',
      variant: 'hot',
      ...load,
      recordsPerSecond: rate('hot'),
      uniformPerSecond: rate('uniform'),
      hotPerSecond: rate('hot'),
      against: 'uniform',
      ratio: Number(ratio.toFixed(2)),
      ratioOf: 'wall',
      spread: Number(((Math.max(...ratios) - Math.min(...ratios)) / ratio).toFixed(3)),
      runs,
      correct: true,
      ...environment(),
    })
  }
  return lines
}

/** Milliseconds from the moment the workers are ready to the last commit. @throws Error if a sum is wrong */
async function timed({ records, workers }: Load, phases: string, hot: boolean): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-skew-'))
  const broker = embeddedBroker({ dir, partitions })
  try {
    const expected = await fill(broker, records, hot)
    const app = new StreamsApp({ applicationId: 'skew', broker, topology: url, workers, settings: { phases } })
    await app.start()
    const began = performance.now()
    app.endInputs()
    await app.completed
    const ms = performance.now() - began
    const found = await sumOf(broker, workers, phases)
    if (found !== expected) throw new Error(`shop 0 has ${found}, expected ${expected}`)
    return ms
  } finally {
    await broker[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Gives what shop 0 has sold. */
async function fill(broker: ReturnType<typeof embeddedBroker>, records: number, hot: boolean): Promise<number> {
  await using producer = broker.producer('sales', { value: serdes.json<Sale>() })
  let first = 0
  for (let i = 0; i < records; i++) {
    const shop = hot && i % 2 === 0 ? 0 : Math.imul(i, 0x9e3779b1) % shops
    if (shop === 0) first += i
    void producer.send({
      value: { shop: `shop${Math.abs(shop)}`, rupees: i },
      timestamp: i,
      partition: (i >> 1) % partitions,
    })
    if (i % 10_000 === 9999) await producer.flush()
  }
  return first
}

async function sumOf(broker: ReturnType<typeof embeddedBroker>, workers: number, phases: string): Promise<unknown> {
  const app = new StreamsApp({ applicationId: 'skew', broker, topology: url, workers, settings: { phases } })
  await app.start()
  const found = await app.store('sums').get('shop0')
  await app.close()
  return found
}
