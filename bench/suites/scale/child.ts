/**
 * One measurement in a process of its own, its job (JSON) the one argument: fills the state with a row a key, ends the app, writes
 * more records, and times an app from its start to the last row of them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../../src/connectors/broker/broker.ts'
import { embeddedBroker, serdes, StreamsApp } from '../../../src/index.ts'
import type { Measured } from '../../harness/run.ts'
import { Random } from '../../workload/random.ts'
import { type Seen, topics, type Visit } from './topology.ts'

export interface ScaleJob {
  readonly records: number
  readonly keys: number
  readonly partitions: number
  /** 0: none. */
  readonly workers: number
}

/** Records of one commit of the sender. */
const slice = 5_000

export async function run({ records, keys, partitions, workers }: ScaleJob): Promise<Measured & { correct: boolean }> {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-scale-'))
  await using broker = embeddedBroker({ dir, partitions })
  const { log, ensureTopic, release } = await openEmbedded(broker)
  ensureTopic(topics.output)
  const counts = new Uint32Array(keys)
  const expected = { rows: 0, sum: 0 }
  const send = async (count: number, keyOf: (i: number) => number): Promise<void> => {
    await using producer = broker.producer(topics.input, { key: serdes.number(), value: serdes.json<Visit>() })
    for (let i = 0; i < count; i++) {
      const key = keyOf(i)
      expected.rows++
      expected.sum += ++counts[key]!
      const sent = producer.send({ key, value: { key, n: i } })
      if (i % slice === slice - 1) await sent
    }
    await producer.flush()
  }
  const appended = (): number => {
    let rows = 0
    for (let partition = 0; partition < partitions; partition++) rows += log.endOffset(topics.output, partition)
    return rows
  }
  const life = async (): Promise<{ readonly seconds: number; readonly cpuSeconds: number }> => {
    const cpu = process.cpuUsage()
    const began = performance.now()
    const topology = new URL('topology.ts', import.meta.url)
    await using app = new StreamsApp({ applicationId: 'scale', topology, broker, ...(workers > 0 && { workers }) })
    await app.start()
    const done = Promise.withResolvers<void>()
    const look = (): void => void (appended() >= expected.rows && done.resolve())
    using _listening = log.onAppend(look)
    look()
    await done.promise
    const { user, system } = process.cpuUsage(cpu)
    return { seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 }
  }
  try {
    await send(keys, (i) => i)
    await life()
    const random = new Random(keys)
    const before = appended()
    await send(records, () => random.below(keys))
    const figures = await life()
    const found = { rows: 0, sum: 0 }
    for (let partition = 0; partition < partitions; partition++) {
      let at = 0
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
      ...figures,
      peakRssMb: process.resourceUsage().maxRSS / 1024,
      rows: found.rows - before,
      checksum: String(found.sum),
      correct: found.rows === expected.rows && found.sum === expected.sum,
    }
  } finally {
    await release()
    rmSync(dir, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const answer = await run(JSON.parse(process.argv[2]!) as ScaleJob)
  process.send?.(answer, undefined, undefined, () => process.exit())
}
