/**
 * `embedded`, `kafka`: how long a record takes until its row can be read, committed, at 10, 50 and 80 % of what goes through.
 *
 * `repartition`: how long a record takes through two repartitions: from the moment that it was parsed to its arrival in the last task
 * (`arrival`), and until its output can be read, committed (`committed`). The load is open: records are due at a fixed rate,
 * whatever becomes of those before them; `total` goes from when a record was due, so that what waits for a thread that
 * stands still counts as long as it waits (no coordinated omission).
 *
 *     npm run bench -- latency [embedded] [kafka] [repartition] [--seconds 20] [--json]
 *     npm run bench -- latency repartition [--rate 100000] [--workers 2] [--interval 100]
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { embeddedBroker, serdes, StreamsApp } from '../../../src/index.ts'
import { columns, environment } from '../../harness/report.ts'
import { type LoadLine, measureLoads } from './loads.ts'
import { clock, type Ping, sampled } from './topology.ts'

const warmUpSeconds = 5
const partitions = 4

export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rate: { type: 'string', default: '100000' },
      seconds: { type: 'string', default: '20' },
      workers: { type: 'string', default: '2' },
      interval: { type: 'string', default: '100' },
      json: { type: 'boolean', default: false },
    },
  })
  const [rate, seconds, workers, interval] = [values.rate, values.seconds, values.workers, values.interval].map(Number)
  const choices = ['embedded', 'kafka', 'repartition']
  const unknown = positionals.find((name) => !choices.includes(name))
  if (unknown !== undefined) throw new RangeError(`There is no case '${unknown}'; there are: ${choices.join(', ')}`)
  const named = positionals.length === 0 ? choices : positionals
  const loads: LoadLine[] = []
  for (const where of ['embedded', 'kafka'] as const) {
    if (!named.includes(where)) continue
    const found = await measureLoads(where, seconds as number, (text) => console.error(text))
    if (values.json) for (const line of found) console.log(JSON.stringify(line))
    else console.log(tableOf(found))
    loads.push(...found)
  }
  const code = loads.every(({ correct }) => correct) ? 0 : 1
  if (!named.includes('repartition')) return code
  const line = await measure({ rate, seconds, workers, interval } as Load)
  if (values.json) for (const one of linesOf(line)) console.log(JSON.stringify(one))
  else {
    console.table({ arrival: line.arrivalMs, committed: line.committedMs, total: line.totalMs })
    console.log(`${line.samples} records, ${line.cores.toFixed(2)} processors busy`)
  }
  return code
}

const tableOf = (lines: readonly LoadLine[]): string =>
  columns(
    ['case', 'variant', 'offered/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms', 'correct'],
    lines.map((line) => [
      line.case,
      line.variant,
      line.offeredPerSecond.toLocaleString('en-US'),
      ...[line.p50Ms, line.p99Ms, line.p999Ms, line.maxMs].map((ms) => ms.toFixed(1)),
      line.correct ? 'yes' : 'NO',
    ]),
    [2, 3, 4, 5, 6],
  )

/** One a measure, in the format that all suites print. */
function linesOf({ rate, seconds, workers, interval, cores, samples, ...measures }: Latencies): object[] {
  const load = { offeredPerSecond: rate, seconds, workers, checkpointMs: interval, records: samples, coresBusy: cores }
  return Object.entries(measures).map(([name, { p50, p90, p99, p999, max }]) => ({
    suite: 'latency',
    case: 'repartition',
    subject: 'dhaara',
    variant: name.replace('Ms', ''),
    ...{ p50Ms: p50, p90Ms: p90, p99Ms: p99, p999Ms: p999, maxMs: max },
    ...load,
    ...environment(),
  }))
}

interface Load {
  /** Records a second. */
  readonly rate: number
  readonly seconds: number
  readonly workers: number
  /** Between two checkpoints, milliseconds. */
  readonly interval: number
}

interface Percentiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** `cores`: processors that were busy, with the sender of the records and the reader of the output. */
interface Latencies extends Load {
  readonly cores: number
  readonly samples: number
  readonly arrivalMs: Percentiles
  readonly committedMs: Percentiles
  readonly totalMs: Percentiles
}

async function measure(load: Load): Promise<Latencies> {
  const { rate, seconds, workers, interval } = load
  await using broker = embeddedBroker({ partitions })
  const { log, ensureTopic, release } = await openEmbedded(broker)
  const app = new StreamsApp({
    applicationId: 'latency',
    topology: new URL('topology.ts', import.meta.url),
    workers,
    broker,
    checkpointInterval: `${interval}ms`,
  })
  await app.start()
  const positions = new Array<number>(ensureTopic('pongs').partitions).fill(0)
  const arrivals: number[] = []
  const commits: number[] = []
  const totals: number[] = []
  const from = clock() + warmUpSeconds * 1000
  const appended = log.onAppend((all) => {
    const now = clock()
    for (const { topic, partition } of all) {
      if (topic !== 'pongs') continue
      for (;;) {
        const batch = log.fetch(topic, partition, positions[partition] as number)
        if (batch === undefined) break
        positions[partition] = batch.nextOffset
        for (let i = 0; i < batch.count; i++) {
          const text = batch.data.toString('utf8', batch.valueStart[i], batch.valueEnd[i])
          const { due, parsed, arrived } = JSON.parse(text) as { due: number; parsed: number; arrived: number }
          if (parsed < from) continue
          arrivals.push(arrived - parsed)
          commits.push(now - parsed)
          totals.push(now - due)
        }
      }
    }
  })
  const producer = broker.producer('pings', { key: serdes.string(), value: serdes.json<Ping>() })
  const before = process.cpuUsage()
  const began = clock()
  const total = rate * (warmUpSeconds + seconds)
  for (let id = 0; id < total; await sleep(1)) {
    const due = Math.min(total, Math.floor(((clock() - began) / 1000) * rate))
    for (; id < due; id++) {
      const user = `user-${(id * 7919) % 10_007}`
      const page = `page-${(id * 31) % 997}`
      void producer.send({ key: `key-${id % 1009}`, value: { id, user, page, due: began + (id / rate) * 1000 } })
    }
    await producer.flush()
  }
  await producer.close()
  app.endInputs()
  await app.completed
  const { user, system } = process.cpuUsage(before)
  const cores = (user + system) / 1000 / (clock() - began)
  appended[Symbol.dispose]()
  await release()
  const [arrivalMs, committedMs, totalMs] = [arrivals, commits, totals].map(of) as [
    Percentiles,
    Percentiles,
    Percentiles,
  ]
  return { ...load, cores, samples: commits.length * sampled, arrivalMs, committedMs, totalMs }
}

function of(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    Number((sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1))
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) }
}
