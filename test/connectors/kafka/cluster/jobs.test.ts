import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate as flipkartEvents } from '../../../../examples/flipkart/generator.ts'
import flipkart from '../../../../examples/flipkart/topology.ts'
import { generate as mumbaiEvents } from '../../../../examples/mumbai-local/generator.ts'
import mumbai from '../../../../examples/mumbai-local/topology.ts'
import { RecordMaker } from '../../../../src/cli/input/record-maker.ts'
import { PlanTopics } from '../../../../src/cli/plan-topics.ts'
import { FrameBuilder } from '../../../../src/connectors/broker/index.ts'
import { readFrames } from '../../../../src/connectors/broker/frame.ts'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { generate as nseEvents } from '../../../../examples/nse/generator.ts'
import nse from '../../../../examples/nse/topology.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { kafkaBroker, StreamsApp, type Topology } from '../../../../src/index.ts'
import { compare, type Mode, type Row } from '../../../examples/compare.ts'
import { flipkartModel, flipkartModes } from '../../../examples/flipkart-model.ts'
import { mumbaiLocalModel, mumbaiLocalModes } from '../../../examples/mumbai-local-model.ts'
import { nseModel, nseModes } from '../../../examples/nse-model.ts'
import { kafka, unique } from '../broker.ts'
import { rowAt } from '../rows.ts'
import { readBatches } from './read.ts'

interface Job {
  readonly name: string
  readonly topology: Topology
  readonly module: URL
  readonly inputs: Readonly<Record<string, readonly unknown[]>>
  readonly modes: Readonly<Record<string, Mode>>
  readonly expected: Readonly<Record<string, Iterable<Row>>>
}

function jobs(late: number): Job[] {
  const options = { seed: 3, count: 4000, late, disorder: 0.1 }
  const events = [...flipkartEvents(options)]
  const local = mumbaiEvents(options)
  const [taps, trains] = [[...local.taps], [...local.trains]]
  const ticks = [...nseEvents(options)]
  return [
    {
      name: 'Flipkart',
      topology: flipkart,
      module: moduleOf('flipkart'),
      inputs: { 'flipkart-orders': events },
      modes: flipkartModes,
      expected: flipkartModel(events) as never,
    },
    {
      name: 'Mumbai local',
      topology: mumbai,
      module: moduleOf('mumbai-local'),
      inputs: { 'local-taps': taps, 'local-trains': trains },
      modes: mumbaiLocalModes,
      expected: mumbaiLocalModel(taps, trains) as never,
    },
    {
      name: 'NSE',
      topology: nse,
      module: moduleOf('nse'),
      inputs: { 'nse-events': ticks },
      modes: nseModes,
      expected: nseModel(ticks) as never,
    },
  ]
}

const moduleOf = (name: string): URL => new URL(`../../../../examples/${name}/topology.ts`, import.meta.url)

interface Way {
  readonly client: 'platformatic' | 'kafkajs'
  readonly partitions: number
  readonly instances: number
  readonly workers: number
}

/** Where several tasks write into a repartition, what is late for one run need not be for another. */
const lateOf = ({ partitions }: Way): number => (partitions === 1 ? 0.03 : 0)

const ways: readonly Way[] = [
  ...(['platformatic', 'kafkajs'] as const).flatMap((client) =>
    [1, 4].flatMap((partitions) => [1, 3].map((instances) => ({ client, partitions, instances, workers: 0 }))),
  ),
  { client: 'platformatic', partitions: 4, instances: 1, workers: 2 },
]
/** Each way with one of the jobs, three ways a job, of both clients; all ways with all jobs with DHAARA_LONG. */
const long = process.env['DHAARA_LONG'] !== undefined

describe('the example jobs on Kafka', () => {
  let log: RemoteLog
  let dir: string

  before(async () => {
    log = await kafkaBroker({ brokers: await kafka() })[remote]()
    dir = await mkdtemp(join(tmpdir(), 'dhaara-jobs-'))
  })
  after(async () => {
    await log.release()
    await rm(dir, { recursive: true, force: true })
  })

  for (const [w, way] of ways.entries()) {
    const { client, partitions, instances, workers } = way
    for (const [j, job] of jobs(lateOf(way)).entries()) {
      if (!long && w % 3 !== j) continue
      const title = `${job.name}: ${partitions} partitions, ${instances} instances, ${workers} workers, ${client}`
      it(title, async () => {
        const broker = kafkaBroker({ brokers: await kafka(), client })
        const plan = planOf(job.topology)
        const topics = new PlanTopics(plan)
        const names = [...new Set([...topics.inputs, ...topics.outputs, ...Object.keys(job.modes)])]
        await log.deleteTopics(names)
        await log.createTopics(names.map((name) => ({ name, partitions, configs: { 'retention.ms': '-1' } })))
        for (const [topic, events] of Object.entries(job.inputs)) await fill(topics, topic, events, partitions)
        const app = unique('job')
        const apps = Array.from(
          { length: instances },
          (_, i) =>
            new StreamsApp({
              applicationId: app,
              broker,
              stateDir: join(dir, `${app}-${i}`),
              ...(workers === 0 ? { topology: job.topology } : { topology: job.module, workers }),
            }),
        )
        for (const one of apps) await one.start()
        for (const one of apps) one.endInputs()
        await Promise.all(apps.map((one) => one.completed))
        for (const [topic, mode] of Object.entries(job.modes))
          compare(topic, mode, job.expected[topic] ?? [], await rows(topics, topic, partitions))
        const own = (await log.topics()).map(({ name }) => name).filter((name) => name.startsWith(app))
        await log.deleteTopics([...own, ...names])
      }).timeout(90_000)
    }
  }

  async function fill(
    topics: PlanTopics,
    topic: string,
    events: readonly unknown[],
    partitions: number,
  ): Promise<void> {
    const builders = Array.from({ length: partitions }, () => new FrameBuilder())
    const maker = new RecordMaker(topic, topics.sourceOf(topic) ?? {}, 'values', builders)
    for (const event of events) {
      const line = Buffer.from(JSON.stringify(event))
      maker.line(line, 0, line.length, Date.now())
    }
    const writer = log.writer()
    await writer.init()
    for (const [partition, builder] of builders.entries()) {
      const batch =
        builder.count === 0 ? undefined : readFrames(topic, partition, [builder.finish()], Number.NEGATIVE_INFINITY)
      if (batch !== undefined) await writer.send(topic, partition, batch)
    }
  }

  async function rows(topics: PlanTopics, topic: string, partitions: number): Promise<Row[]> {
    const { key, value } = topics.serdesOf(topic)[0] ?? {}
    const read: Row[] = []
    for (let partition = 0; partition < partitions; partition++) {
      for (const batch of await readBatches(log, topic, partition)) {
        for (let i = 0; i < batch.count; i++) {
          const row = rowAt(batch, i)
          read.push({
            key: row.key && key ? key.deserialize(row.key, topic) : row.key,
            value: row.value && value ? value.deserialize(row.value, topic) : row.value,
          })
        }
      }
    }
    return read
  }
})
