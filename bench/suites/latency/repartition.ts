import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { embeddedBroker, serdes, StreamsApp } from '../../../src/index.ts'
import { environment } from '../../harness/report.ts'
import { type Ping, sampled } from './topology.ts'
import { clock, type Measure, type Percentiles, percentiles, type Trace, Traces } from './trace.ts'

const warmUpSeconds = 5
const partitions = 4

export interface Load {
  /** Records a second. */
  readonly rate: number
  readonly seconds: number
  readonly workers: number
  /** Between two checkpoints, milliseconds. */
  readonly interval: number
}

/** `cores`: processors that were busy, with the sender of the records and the reader of the output. */
export interface Latencies extends Load {
  readonly cores: number
  readonly samples: number
  /** Milliseconds; `timer`: how late a thread wakes that does nothing but sleep; `write`: what the owner spends on an epoch. */
  readonly parts: Readonly<Record<Measure | 'timer' | 'write', Percentiles>>
}

/** An open load through two repartitions on workers, traced from one hand-over to the next. */
export async function measureRepartition(load: Load): Promise<Latencies> {
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
  const traces = new Traces()
  const writes: number[] = []
  const from = clock() + warmUpSeconds * 1000
  app.on('checkpoint', ({ ms }) => {
    if (clock() >= from) writes.push(ms)
  })
  const appended = log.onAppend((all) => {
    const now = clock()
    for (const { topic, partition } of all) {
      if (topic !== 'pongs') continue
      for (;;) {
        const batch = log.fetch(topic, partition, positions[partition]!)
        if (batch === undefined) break
        positions[partition] = batch.nextOffset
        for (let i = 0; i < batch.count; i++) {
          const trace = JSON.parse(batch.data.toString('utf8', batch.valueStart[i], batch.valueEnd[i])) as Trace
          if (trace.parsed >= from) traces.add(trace, now)
        }
      }
    }
  })
  const jitter = new Worker(new URL('jitter-thread.ts', import.meta.url))
  const producer = broker.producer('pings', { key: serdes.string(), value: serdes.json<Ping>() })
  const before = process.cpuUsage()
  const began = clock()
  const total = rate * (warmUpSeconds + seconds)
  for (let id = 0; id < total; await sleep(1)) {
    const sent = clock()
    const due = Math.min(total, Math.floor(((sent - began) / 1000) * rate))
    for (; id < due; id++) {
      const user = `user-${(id * 7919) % 10_007}`
      const page = `page-${(id * 31) % 997}`
      const value = { id, user, page, due: began + (id / rate) * 1000, sent }
      void producer.send({ key: `key-${id % 1009}`, value })
    }
    await producer.flush()
  }
  await producer.close()
  app.endInputs()
  await app.completed
  const { user, system } = process.cpuUsage(before)
  const cores = (user + system) / 1000 / (clock() - began)
  const late = once(jitter, 'message')
  jitter.postMessage('over')
  const [delays] = (await late) as [number[]]
  await jitter.terminate()
  appended[Symbol.dispose]()
  await release()
  const parts = { ...traces.percentiles, write: percentiles(writes), timer: percentiles(delays) }
  return { ...load, cores, samples: traces.count * sampled, parts }
}

/** One a measure, in the format that all suites print. */
export function linesOf({ rate, seconds, workers, interval, cores, samples, parts }: Latencies): object[] {
  const load = { offeredPerSecond: rate, seconds, workers, checkpointMs: interval, records: samples, coresBusy: cores }
  return Object.entries(parts).map(([variant, { p50, p90, p99, p999, max }]) => ({
    suite: 'latency',
    case: 'repartition',
    subject: 'dhaara',
    variant,
    ...{ p50Ms: p50, p90Ms: p90, p99Ms: p99, p999Ms: p999, maxMs: max },
    ...load,
    ...environment(),
  }))
}
