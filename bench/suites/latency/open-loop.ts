/**
 * Latency under an open-loop load, in a process of its own: records are due at a steady rate whatever becomes of them, and a row's
 * latency counts from when its record was due, so that a stall counts for all records that it delayed (Tene: "coordinated
 * omission"). On Kafka the broker is another process, and the engine is one; beside the embedded broker all share this one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serdes, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { LatencyHistogram } from '../../harness/latency-histogram.ts'
import { embeddedLink } from './embedded-link.ts'
import { type Guarantee, startEngineApart, startHere } from './engine.ts'
import { kafkaLink } from './kafka-link.ts'
import { topics } from './link.ts'
import { clock } from './trace.ts'
import { columns, type Row } from './row.ts'
import { type Parts, partsOf, type Times } from './parts.ts'

export interface LoadJob {
  /** Addresses of Kafka; without, the embedded broker. */
  readonly brokers?: readonly string[]
  readonly guarantee: Guarantee
  /** Records a second; without, as many as go: what comes out is the capacity. */
  readonly rate?: number
  readonly seconds: number
}

export interface LoadAnswer {
  readonly records: number
  readonly seconds: number
  /** Of the process that the engine runs in, as is the memory. */
  readonly cpuSeconds: number
  readonly peakRssMb: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
  readonly parts: Parts
  /** Each record gave its row, and each key's last row has its count. */
  readonly correct: boolean
}

const keys = 1_000
const warmUpSeconds = 3
/** So long, at most half of the time, before records count: what the warm-up has left behind is written by then. */
const settleSeconds = 1
/** Records between two waits of a sender that goes as fast as it can. */
const slice = 2_000
/** One of so many is traced from hand-over to hand-over. */
const traced = 16

interface Order extends Pick<Times, 'due' | 'sent'> {
  readonly customer: number
}

/** @param keyed the records' keys are their customers */
export function topology({ input, output } = topics, keyed = false): Topology {
  const builder = new StreamsBuilder()
  const orders = builder.stream(input, { key: serdes.string(), value: serdes.json<Order>() })
  const byCustomer = keyed ? orders.groupByKey() : orders.groupBy(({ customer }) => String(customer))
  byCustomer
    .aggregate(
      () => ({ count: 0, due: 0, sent: 0 }),
      ({ count }, { due, sent }) => ({ count: count + 1, due, sent }),
    )
    .toStream()
    .map((state, customer): [null, Row] => [null, { customer: Number(customer), ...state, applied: clock() }])
    .to(output, { key: serdes.json(), value: serdes.json() })
  return builder.build()
}

export async function runLoad({ brokers, guarantee, rate, seconds }: LoadJob): Promise<LoadAnswer> {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-latency-'))
  const link = brokers === undefined ? await embeddedLink(dir) : await kafkaLink(brokers)
  const latencies = new LatencyHistogram()
  const times: Times[] = []
  const sent = new Uint32Array(keys)
  const counted = new Uint32Array(keys)
  let received = 0
  let from = Number.POSITIVE_INFINITY
  let wake = (): void => {}
  await link.listen((rows, at) => {
    for (let i = 0; i < rows.length; i += columns.length) {
      const customer = rows[i]!
      counted[customer] = Math.max(counted[customer]!, rows[i + 1]!)
      const due = rows[i + 2]!
      received++
      if (due < from) continue
      latencies.add(at - due)
      if (received % traced === 0) times.push({ due, sent: rows[i + 3]!, applied: rows[i + 4]!, received: at })
    }
    wake()
  })
  const id = `latency-${process.pid}`
  const engine =
    brokers === undefined
      ? await startHere({ id, guarantee, dir }, link.broker, topology(topics, link.keyed))
      : await startEngineApart({ id, guarantee, dir }, brokers)
  let total = 0
  const send = (count: number, dueOf: (i: number) => number): Promise<void> => {
    const customers: string[] = []
    const now = clock()
    const orders = Array.from({ length: count }, (_, i) => {
      const customer = (total++ * 7919) % keys
      sent[customer]!++
      customers.push(String(customer))
      return JSON.stringify({ customer, due: dueOf(i), sent: now, note: 'x'.repeat(120) })
    })
    return link.send(customers, orders)
  }
  const allReceived = async (): Promise<void> => {
    while (received < total) await new Promise<void>((resolve) => void (wake = resolve))
  }
  const flood = async (duration: number): Promise<void> => {
    for (const until = clock() + duration * 1000; clock() < until; ) await send(slice, clock)
    await allReceived()
  }
  try {
    await flood(warmUpSeconds)
    await engine.begin()
    const before = { total, began: clock() }
    from = before.began + Math.min(settleSeconds, seconds / 2) * 1000
    if (rate === undefined) await flood(seconds)
    else {
      const pending = new Set<Promise<void>>()
      for (let i = 0; i < rate * seconds; await sleep(1)) {
        const due = Math.min(rate * seconds, Math.floor(((clock() - before.began) / 1000) * rate))
        const first = i
        if (due === first) continue
        i = due
        const sending = send(due - first, (n) => before.began + ((first + n) / rate) * 1000)
        pending.add(sending)
        void sending.then(() => pending.delete(sending))
      }
      await Promise.all(pending)
      await allReceived()
    }
    const ended = clock()
    const { commits, ...used } = await engine.used()
    return {
      records: total - before.total,
      seconds: (ended - before.began) / 1000,
      ...used,
      p50Ms: latencies.at(50),
      p99Ms: latencies.at(99),
      p999Ms: latencies.at(99.9),
      maxMs: latencies.maxMs,
      parts: partsOf(times, commits),
      correct: received === total && sent.every((count, key) => counted[key] === count),
    }
  } finally {
    await engine.close()
    await link[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const answer = await runLoad(JSON.parse(process.argv[2]!) as LoadJob)
  process.send?.(answer, undefined, undefined, () => process.disconnect?.())
}
