/**
 * How long a query's rows take at a steady rate, in a process of its own: `latency.ts <query> <events a second> <seconds>`;
 * answers on the IPC channel. Events are due one after the other whatever becomes of those before them, and a row's latency goes
 * from when the event of its time was due until it can be read, committed (checkpoints each second): a stall counts for all rows
 * that it delays. The events are in order, so the watermark waits for none: what a bound of out-of-orderness adds is left out.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { embeddedBroker, serdes, StreamsApp, watermarks } from '../../../src/index.ts'
import { LatencyHistogram } from '../../harness/latency-histogram.ts'
import { baseTime, defaultParams, nexmarkGenerator } from './generator.ts'
import { writeEvents } from './job.ts'
import { queries } from './queries/index.ts'
import { eventsTopic, rowsTopic } from './query.ts'
import { topologyOf } from './topology.ts'

export interface RowLatency {
  readonly p50Ms: number
  readonly p99Ms: number
  /** Rows that were timed. */
  readonly timedRows: number
}

/** They are made before the clock starts, and lie in memory. */
const mostEvents = 2_000_000
/** Of the run's time, to warm up. */
const warmUp = 0.3
/** Longer than from one checkpoint to the next, ms. */
const lastCheckpoints = 3000

const clock = (): number => performance.timeOrigin + performance.now()

/** JSON of the first events, one after the other. */
function encoded(count: number): { readonly bytes: Buffer; readonly ends: Float64Array } {
  const next = nexmarkGenerator()
  const ends = new Float64Array(count + 1)
  let bytes = Buffer.allocUnsafeSlow(count * 256)
  let at = 0
  for (let i = 0; i < count; i++) {
    const text = JSON.stringify(next())
    if (at + text.length * 3 > bytes.length) bytes = Buffer.concat([bytes], bytes.length * 2)
    at += bytes.utf8Write(text, at)
    ends[i + 1] = at
  }
  return { bytes, ends }
}

export async function rowLatency(name: string, rate: number, seconds: number): Promise<RowLatency> {
  const query = queries[name]!
  const count = Math.min(mostEvents, Math.ceil(rate * seconds))
  const { bytes, ends } = encoded(count)
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-nexmark-'))
  await writeEvents(dir, [], query)
  const broker = embeddedBroker({ dir, partitions: 1 })
  const { log, ensureTopic, release } = await openEmbedded(broker)
  ensureTopic(rowsTopic)
  const latencies = new LatencyHistogram()
  const first = Math.floor(count * warmUp)
  let began = clock()
  let at = 0
  /** When the event was due that a row's time is of; a row of the wall clock is due at that time. */
  const dueOf = (time: number): number => {
    if (query.wallClock) return time >= began + (first / rate) * 1000 ? time : Number.NaN
    const event = ((time - baseTime) * defaultParams.rate) / 1000
    return event >= first && event < count ? began + (event / rate) * 1000 : Number.NaN
  }
  const listening = log.onAppend((appended) => {
    if (!appended.some(({ topic }) => topic === rowsTopic)) return
    const now = clock()
    for (let batch = log.fetch(rowsTopic, 0, at); batch !== undefined; batch = log.fetch(rowsTopic, 0, at)) {
      at = batch.nextOffset
      for (let i = 0; i < batch.count; i++) {
        const due = dueOf(batch.timestamps[i] as number)
        if (due <= now) latencies.add(now - due)
      }
    }
  })
  const topology = topologyOf(query, watermarks.boundedOutOfOrderness('0s'))
  const app = new StreamsApp({ applicationId: 'nexmark', topology, broker, checkpointInterval: '1s' })
  const events = broker.producer<never, Uint8Array>(eventsTopic, { value: serdes.bytes() })
  try {
    await app.start()
    began = clock()
    for (let sent = 0; sent < count; await sleep(1)) {
      const due = Math.min(count, Math.floor(((clock() - began) / 1000) * rate))
      for (; sent < due; sent++) void events.send({ value: bytes.subarray(ends[sent], ends[sent + 1]) })
      await events.flush()
    }
    await sleep(lastCheckpoints)
    return { p50Ms: latencies.at(50), p99Ms: latencies.at(99), timedRows: latencies.count }
  } finally {
    await app.close()
    listening[Symbol.dispose]()
    await events.close()
    await release()
    await broker[Symbol.asyncDispose]?.()
    rmSync(dir, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const [name, rate, seconds] = process.argv.slice(2) as [string, string, string]
  const answer = await rowLatency(name, Number(rate), Number(seconds))
  process.send?.(answer, undefined, undefined, () => process.disconnect?.())
}
