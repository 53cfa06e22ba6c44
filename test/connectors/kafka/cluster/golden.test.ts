import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RemoteLog, remote } from '../../../../src/connectors/broker/remote.ts'
import { type Broker, embeddedBroker, kafkaBroker, serdes, StreamsApp } from '../../../../src/index.ts'
import { read, runToEnd } from '../../../engine/app/run.ts'
import { type Case, cases, keySerdes } from '../../../engine/rescale/topologies.ts'
import { kafka, unique } from '../broker.ts'
import { readBatches } from './read.ts'
import { rowAt } from '../rows.ts'

interface Way {
  readonly client: 'platformatic' | 'kafkajs'
  readonly partitions: number
  readonly instances: number
}

const ways = (['platformatic', 'kafkajs'] as const).flatMap((client) =>
  [1, 4].flatMap((partitions) => [1, 3].map((instances): Way => ({ client, partitions, instances }))),
)
/** One way a case, each in turn; all of them with DHAARA_LONG. */
const long = process.env['DHAARA_LONG'] !== undefined

interface Sent {
  readonly key: string
  readonly value: number
  readonly timestamp: number
}

/** Numbers that rise, at times that mostly do, of a dozen keys. */
function records(seed: number): Sent[] {
  let state = seed + 1
  const random = (): number => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff
  return Array.from({ length: 120 }, (_, i) => ({
    key: `k${Math.floor(random() * 12)}`,
    value: i,
    timestamp: 1_000_000 + i * 3 - Math.floor(random() * 6),
  }))
}

type Text = readonly [key: string, value: string]

/** Rows in any order; of some cases each key's last alone. */
const canonical = (rows: readonly Text[], { last }: Case): unknown =>
  last ? [...new Map(rows)].sort() : rows.map((row) => row.join(' ')).sort()

describe('topologies of every kind, on Kafka as embedded', () => {
  let log: RemoteLog
  let dir: string
  /** Topics of a case; they have the same names in all. */
  const names = ['in', 'other', 'out']

  before(async () => {
    log = await kafkaBroker({ brokers: await kafka() })[remote]()
    dir = await mkdtemp(join(tmpdir(), 'dhaara-golden-'))
  })
  after(async () => {
    await log.deleteTopics(names)
    await log.release()
    await rm(dir, { recursive: true, force: true })
  })

  // broadcast rules meet what comes after them: a matter of when each was sent
  const all = Object.entries(cases).filter(([, one]) => one.first === undefined)
  for (const [n, [name, one]] of all.entries()) {
    for (const [w, way] of ways.entries()) {
      if (!long && n % ways.length !== w) continue
      const { client, partitions, instances } = way
      it(`${name}: ${partitions} partitions, ${instances} instances, ${client}`, async () => {
        const expected = canonical(await embedded(one), one)
        assert.notDeepEqual(expected, [])
        assert.deepEqual(canonical(await onKafka(one, way), one), expected)
      }).timeout(180_000)
    }
  }

  async function fill(broker: Broker, { inputs }: Case): Promise<void> {
    for (const [i, topic] of inputs.entries()) {
      await using producer = broker.producer(topic, { key: serdes.string(), value: serdes.json<number>() })
      for (const record of records(i)) void producer.send(record)
    }
  }

  async function embedded(one: Case): Promise<Text[]> {
    await using broker = embeddedBroker({ partitions: 1 })
    await fill(broker, one)
    await runToEnd({ topology: one.topology(), broker })
    const rows = await read(broker, 'out', keySerdes[one.keys])
    return rows.map(({ key, value }) => [JSON.stringify(key), JSON.stringify(value)] as const)
  }

  async function onKafka(one: Case, { client, partitions, instances }: Way): Promise<Text[]> {
    const broker = kafkaBroker({ brokers: await kafka(), client })
    await log.deleteTopics(names)
    await log.createTopics(names.map((name) => ({ name, partitions, configs: { 'retention.ms': '-1' } })))
    await fill(broker, one)
    const app = unique('golden')
    const running = Array.from(
      { length: instances },
      (_, i) =>
        new StreamsApp({ applicationId: app, broker, topology: one.topology(), stateDir: join(dir, `${app}-${i}`) }),
    )
    for (const each of running) await each.start()
    for (const each of running) each.endInputs()
    await Promise.all(running.map((each) => each.completed))
    const key = keySerdes[one.keys] as NonNullable<(typeof keySerdes)[string]>
    const rows: Text[] = []
    for (let partition = 0; partition < partitions; partition++) {
      for (const batch of await readBatches(log, 'out', partition)) {
        for (let i = 0; i < batch.count; i++) {
          const row = rowAt(batch, i)
          const own = row.key === null ? null : key.deserialize(row.key, 'out')
          rows.push([JSON.stringify(own), row.value === null ? 'null' : Buffer.from(row.value).toString()])
        }
      }
    }
    const own = (await log.topics()).map(({ name }) => name).filter((topic) => topic.startsWith(app))
    await log.deleteTopics(own)
    return rows
  }
})
