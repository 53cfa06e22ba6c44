/**
 * One measurement in a process of its own, its job (JSON) the one argument: fills the state with a row a key, ends the app, writes
 * more records, is ready, and when it is asked times an app: until it runs, and from then on to the last row of them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { embeddedBroker, serdes, StreamsApp } from '../../../src/index.ts'
import { answering } from '../../harness/apart.ts'
import type { Measured } from '../../harness/run.ts'
import { Random } from '../../workload/random.ts'
import { type Seen, topics, type Visit } from './topology.ts'

export interface ScaleJob {
  readonly records: number
  readonly keys: number
  readonly partitions: number
  /** 0: none. */
  readonly workers: number
  /** After so long the state is not filled any further. */
  readonly fillSeconds: number
  /** Keys that are added before the clock is looked at. */
  readonly round: number
}

export interface ScaleFigures extends Measured {
  readonly correct: boolean
  /** Until the app ran: workers load its module, each for itself. In no other figure. */
  readonly startSeconds: number
  /** Those that the state has. */
  readonly keys: number
}

export interface ScaleQuestions {
  readonly measure: ScaleFigures
}

/** Records of one commit of the sender. */
const slice = 5_000

interface Ready extends AsyncDisposable {
  measure(): Promise<ScaleFigures>
}

export async function prepare(job: ScaleJob): Promise<Ready> {
  const { records, keys, partitions, workers, fillSeconds, round } = job
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-scale-'))
  // even if nobody asks for figures
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  const broker = embeddedBroker({ dir, partitions })
  const { log, ensureTopic, release } = await openEmbedded(broker)
  ensureTopic(topics.output)
  const counts = new Uint32Array(keys)
  /** Rows that there are when all that was sent is counted. */
  let rows = 0
  /** @returns the sum of the counts that the records' rows will have */
  const send = async (count: number, keyOf: (i: number) => number): Promise<number> => {
    await using producer = broker.producer(topics.input, { key: serdes.number(), value: serdes.json<Visit>() })
    let sum = 0
    for (let i = 0; i < count; i++) {
      const key = keyOf(i)
      sum += ++counts[key]!
      const sent = producer.send({ key, value: { key, n: i } })
      if (i % slice === slice - 1) await sent
    }
    await producer.flush()
    rows += count
    return sum
  }
  const ends = (): number[] =>
    Array.from({ length: partitions }, (_, partition) => log.endOffset(topics.output, partition))
  const written = (): number => ends().reduce((all, end) => all + end, 0)
  const life = async (): Promise<Pick<ScaleFigures, 'startSeconds' | 'seconds' | 'cpuSeconds'>> => {
    const called = performance.now()
    const topology = new URL('topology.ts', import.meta.url)
    await using app = new StreamsApp({ applicationId: 'scale', topology, broker, ...(workers > 0 && { workers }) })
    await app.start()
    const cpu = process.cpuUsage()
    const began = performance.now()
    const done = Promise.withResolvers<void>()
    const look = (): void => void (written() >= rows && done.resolve())
    using _listening = log.onAppend(look)
    look()
    await done.promise
    const { user, system } = process.cpuUsage(cpu)
    const seconds = (performance.now() - began) / 1000
    return { startSeconds: (began - called) / 1000, seconds, cpuSeconds: (user + system) / 1e6 }
  }
  const began = performance.now()
  let filled = 0
  do {
    const first = filled
    await send(Math.min(round, keys - first), (i) => first + i)
    filled = Math.min(keys, first + round)
    await life()
  } while (filled < keys && performance.now() - began < fillSeconds * 1000)
  const filledTo = ends()
  const random = new Random(filled)
  const expected = await send(records, () => random.below(filled))
  return {
    async measure() {
      const figures = await life()
      const found = { rows: 0, sum: 0 }
      for (const [partition, first] of filledTo.entries()) {
        let at = first
        for (let batch = log.fetch(topics.output, partition, at); batch !== undefined; ) {
          for (let i = 0; i < batch.count; i++) {
            const row = JSON.parse(batch.data.toString('utf8', batch.valueStart[i], batch.valueEnd[i])) as Seen
            found.rows++
            found.sum += row.count
          }
          at = batch.nextOffset
          batch = log.fetch(topics.output, partition, at)
        }
      }
      return {
        records,
        keys: filled,
        ...figures,
        peakRssMb: process.resourceUsage().maxRSS / 1024,
        rows: found.rows,
        checksum: String(found.sum),
        correct: written() === filled + records && found.rows === records && found.sum === expected,
      }
    },
    async [Symbol.asyncDispose]() {
      await release()
      await broker[Symbol.asyncDispose]()
    },
  }
}

if (import.meta.main) {
  const ready = await prepare(JSON.parse(process.argv[2]!) as ScaleJob)
  answering<ScaleQuestions>({
    async measure() {
      await using measured = ready
      return await measured.measure()
    },
  })
}
