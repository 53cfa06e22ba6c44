import { job as flipkart } from '../../examples/flipkart/main.ts'
import { generate as orders } from '../../examples/flipkart/generator.ts'
import { job as hotstar } from '../../examples/hotstar/main.ts'
import { generate as watching } from '../../examples/hotstar/generator.ts'
import { job as mumbai } from '../../examples/mumbai-local/main.ts'
import { generate as journeys } from '../../examples/mumbai-local/generator.ts'
import { job as nse } from '../../examples/nse/main.ts'
import { generate as trading } from '../../examples/nse/generator.ts'
import type { GeneratorParams } from '../../examples/lib/options.ts'
import type { Job } from '../../examples/lib/run.ts'
import { type DurationText, embeddedBroker, serdes } from '../../src/index.ts'
import { read, runToEnd } from '../engine/app/run.ts'
import { compare, type Mode, type Row } from './compare.ts'
import { flipkartModel, flipkartModes } from './flipkart-model.ts'
import { hotstarModel, hotstarModes } from './hotstar-model.ts'
import { mumbaiLocalModel, mumbaiLocalModes } from './mumbai-local-model.ts'
import { nseModel, nseModes } from './nse-model.ts'

interface Example {
  readonly job: Job
  readonly topology: URL
  readonly modes: Readonly<Record<string, Mode>>
  readonly model: (params: GeneratorParams) => Readonly<Record<string, readonly Row[]>>
}

const examples: readonly Example[] = [
  {
    job: flipkart,
    topology: new URL('../../examples/flipkart/topology.ts', import.meta.url),
    modes: flipkartModes,
    model: (params) => flipkartModel([...orders(params)]),
  },
  {
    job: mumbai,
    topology: new URL('../../examples/mumbai-local/topology.ts', import.meta.url),
    modes: mumbaiLocalModes,
    model(params) {
      const { taps, trains } = journeys(params)
      return mumbaiLocalModel([...taps], [...trains])
    },
  },
  {
    job: nse,
    topology: new URL('../../examples/nse/topology.ts', import.meta.url),
    modes: nseModes,
    model: (params) => nseModel([...trading(params)]),
  },
  {
    job: hotstar,
    topology: new URL('../../examples/hotstar/topology.ts', import.meta.url),
    modes: hotstarModes,
    model: (params) => hotstarModel([...watching(params)]),
  },
]

interface Way {
  readonly workers: number
  readonly partitions: number
  /** Records that are committed at a time, so that batches differ. */
  readonly commit: number
  readonly interval: DurationText
  /** Share of records that are late; none where the order between partitions decides which. */
  readonly late: number
}

const ways: readonly Way[] = [
  { workers: 0, partitions: 1, commit: 333, interval: '100ms', late: 0.03 },
  { workers: 2, partitions: 1, commit: 10_000, interval: '1ms', late: 0.03 },
  { workers: 0, partitions: 4, commit: 10_000, interval: '7ms', late: 0 },
  { workers: 2, partitions: 4, commit: 20, interval: '1ms', late: 0 },
  { workers: 2, partitions: 4, commit: 10_000, interval: '10s', late: 0 },
]

const windowed = serdes.windowed(serdes.string())

for (const { job, topology, modes, model } of examples) {
  describe(`the job ${job.name} on the embedded log`, () => {
    for (const { workers, partitions, commit, interval, late } of ways) {
      const title = `${partitions} partition(s), ${workers} workers, commits of ${commit}, checkpoints each ${interval}`
      it(`gives the rows of its page: ${title}`, async () => {
        const params = { seed: 9, count: 6000, late, disorder: 0.1 }
        const broker = embeddedBroker({ partitions })
        await send(broker, job.inputs(params), commit)
        await runToEnd({ topology, workers, broker, checkpointInterval: interval })
        const expected = model(params)
        for (const [topic, mode] of Object.entries(modes)) {
          const rows = await read(broker, topic, mode === 'closed' ? windowed : undefined)
          compare(topic, mode, expected[topic] ?? [], rows)
        }
        await broker[Symbol.asyncDispose]()
      }).timeout(60_000)
    }
  })
}

async function send(
  broker: ReturnType<typeof embeddedBroker>,
  inputs: ReturnType<Job['inputs']>,
  commit: number,
): Promise<void> {
  const producers = new Map<string, ReturnType<typeof broker.producer<string, object>>>()
  let n = 0
  for (const { topic, key, value, timestamp } of inputs) {
    let producer = producers.get(topic)
    if (producer === undefined) {
      producer = broker.producer(topic, { key: serdes.string(), value: serdes.json<object>() })
      producers.set(topic, producer)
    }
    void producer.send({ key, value, timestamp })
    if (++n % commit === 0) for (const one of producers.values()) await one.flush()
  }
  for (const one of producers.values()) await one.close()
}
