import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { type KTable, serdes, StreamsBuilder, type Topology, windows } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { VersionedModel } from './versioned-model.ts'

interface Sent {
  readonly topic: 'left' | 'right'
  readonly key: string
  readonly value: string | null
  readonly timestamp: number
}
type Step = Sent | 'checkpoint' | 'crash' | 'restore'
type How = 'join' | 'leftJoin' | 'outerJoin'

const text = serdes.string()
const serde = { key: text, value: text }
const runs = Number(process.env['RUNS'] ?? 60)
const history = 30

interface Shape {
  readonly how: How
  readonly versioned: { readonly left: boolean; readonly right: boolean }
}

function topologyOf({ how, versioned }: Shape): Topology {
  const builder = new StreamsBuilder()
  const tableOf = (topic: 'left' | 'right') =>
    builder.table(topic, {
      ...serde,
      ...(versioned[topic] ? { store: { name: topic, kind: 'versioned', history } as const } : {}),
    })
  const joiner = (l: string | null, r: string | null) => `${l}-${r}`
  const joined: KTable<string, string> = tableOf('left')[how as 'outerJoin'](tableOf('right'), joiner, {
    store: 'kept',
  })
  joined.toStream().to('out', serde)
  return builder.build()
}

const shapes = fc.record({
  how: fc.constantFrom<How>('join', 'leftJoin', 'outerJoin'),
  versioned: fc.record({ left: fc.boolean(), right: fc.boolean() }),
})
const steps = fc
  .array(
    fc.oneof(
      {
        weight: 15,
        arbitrary: fc.record({
          topic: fc.constantFrom('left' as const, 'right' as const),
          key: fc.constantFrom('a', 'b', 'c'),
          gone: fc.nat(4),
          timestamp: fc.nat(80),
        }),
      },
      fc.constantFrom('checkpoint' as const, 'crash' as const, 'restore' as const),
    ),
    { maxLength: 80, size: 'max' },
  )
  .map((found) =>
    found.map((step, i): Step => {
      if (typeof step === 'string') return step
      const { topic, key, gone, timestamp } = step
      return { topic, key, timestamp, value: gone === 0 ? null : `${topic[0]}${i}` }
    }),
  )

interface Row {
  readonly value: string
  readonly ts: number
}

/** By Kafka Streams' rules: a change of one side meets the other's present row. A versioned side tells of its present only. */
class Model {
  readonly out: [key: string, value: string | null, ts: number][] = []
  private readonly rows = { left: new Map<string, Row>(), right: new Map<string, Row>() }
  private readonly pasts = { left: new VersionedModel(history), right: new VersionedModel(history) }
  private readonly shape: Shape

  constructor(shape: Shape) {
    this.shape = shape
  }

  send({ topic, key, value, timestamp }: Sent): void {
    if (this.shape.versioned[topic] && !this.pasts[topic].put(key, value, timestamp)) return
    const before = this.rows[topic].get(key)
    if (value === null) this.rows[topic].delete(key)
    else this.rows[topic].set(key, { value, ts: timestamp })
    const other = this.rows[topic === 'left' ? 'right' : 'left'].get(key)
    const alone = this.shape.how === 'outerJoin' || (this.shape.how === 'leftJoin' && topic === 'left')
    if (other === undefined && (!alone || (value === null && before === undefined))) return
    this.out.push([key, this.row(key), Math.max(timestamp, other?.ts ?? 0)])
  }

  row(key: string): string | null {
    const left = this.rows.left.get(key)?.value ?? null
    const right = this.rows.right.get(key)?.value ?? null
    const { how } = this.shape
    if (left === null && (how !== 'outerJoin' || right === null)) return null
    return right === null && how === 'join' ? null : `${left}-${right}`
  }
}

describe('table-table joins', () => {
  it('give what a model gives, and keep its rows, through crashes and restores', () => {
    fc.assert(
      fc.property(shapes, steps, fc.integer({ min: 1, max: 4 }), (shape, all, partitions) => {
        const topology = topologyOf(shape)
        // a versioned store's time is that of its partition
        const options = { partitions: shape.versioned.left || shape.versioned.right ? 1 : partitions, cacheBytes: 0 }
        let driver = new TopologyTestDriver(topology, options)
        const model = new Model(shape)
        const out: unknown[] = []
        const send = ({ topic, key, value, timestamp }: Sent) => driver.input(topic).send(value, { key, timestamp })
        let since: Sent[] = []
        for (const step of [...all, 'checkpoint' as const]) {
          if (typeof step !== 'string') {
            send(step)
            model.send(step)
            since.push(step)
            continue
          }
          if (step === 'crash') {
            driver.crash()
            since.forEach(send)
            continue
          }
          for (const { key, value, timestamp } of driver.output('out').readAll()) out.push([key, value, timestamp])
          since = []
          const restore = driver.checkpoint()
          if (step === 'restore') driver = new TopologyTestDriver(topology, { ...options, restore })
        }
        assert.deepEqual(out, model.out)
        for (const key of ['a', 'b', 'c']) assert.equal(driver.store('kept').get(key) ?? null, model.row(key))
      }),
      { numRuns: runs },
    )
  })

  it('of windows: each window of one side meets that of the other, while it is open', () => {
    const counts = (builder: StreamsBuilder, topic: string) =>
      builder
        .stream(topic, { ...serde, nullKeys: 'drop' })
        .groupByKey()
        .windowedBy(windows.hopping(10, { advance: 5 }).noGrace())
        .count()
    const builder = new StreamsBuilder()
    counts(builder, 'left')
      .outerJoin(
        counts(builder, 'right').mapValues((n) => -n),
        (l, r) => `${l}${r}`,
      )
      .toStream()
      .to('out', { key: serdes.windowed(text), value: text })
    using driver = new TopologyTestDriver(builder.build())
    for (const [topic, timestamp] of [
      ['left', 6],
      ['right', 7],
      ['left', 8],
    ] as const) {
      driver.input(topic).send('x', { key: 'a', timestamp })
      driver.checkpoint()
      driver.crash()
    }
    const rows = driver.output('out').readAll()
    assert.deepEqual(
      rows.map(({ key, value, timestamp }) => [key.window.start, value, timestamp]),
      [
        [0, '1null', 6],
        [5, '1null', 6],
        [0, '1-1', 7],
        [5, '1-1', 7],
        [0, '2-1', 8],
        [5, '2-1', 8],
      ],
    )
  })

  it('of sliding windows: the windows that both sides have', () => {
    const counts = (builder: StreamsBuilder, topic: string) =>
      builder
        .stream(topic, { ...serde, nullKeys: 'drop' })
        .groupByKey()
        .windowedBy(windows.sliding(5).grace(10))
        .count()
    const builder = new StreamsBuilder()
    const joined = counts(builder, 'left').join(counts(builder, 'right'), (l, r) => `${l}-${r}`)
    joined.toStream().to('out', { key: serdes.windowed(text), value: text })
    using driver = new TopologyTestDriver(builder.build())
    for (const [topic, timestamp] of [
      ['left', 10],
      ['right', 10],
      ['left', 10],
      ['left', 12],
      ['right', 12],
    ] as const) {
      driver.input(topic).send('x', { key: 'a', timestamp })
      driver.checkpoint()
      driver.crash()
    }
    const rows = driver.output('out').readAll()
    assert.deepEqual(
      rows.map(({ key, value, timestamp }) => [key.window.start, value, timestamp]),
      [
        [5, '1-1', 10],
        [5, '2-1', 10],
        [7, '3-2', 12],
        [11, '1-1', 12],
      ],
    )
  })
})
