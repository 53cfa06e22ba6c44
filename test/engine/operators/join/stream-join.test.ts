import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { partitionOf } from '../../../../src/connectors/broker/partitioner.ts'
import { joinWindows, serdes, StreamsBuilder, watermarks, type KStream, type Topology } from '../../../../src/index.ts'
import { type DriverOptions, TopologyTestDriver } from '../../../../src/testing/index.ts'
import { type Joined, JoinModel, type Side, type Spec } from './stream-join-model.ts'

interface Sent {
  readonly topic: Side
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}
type Step = Sent | 'checkpoint' | 'crash' | 'restore'

const serde = { key: serdes.string(), value: serdes.string() }
/** More of them: JOIN_RUNS=2000. */
const runs = Number(process.env['RUNS'] ?? 60)
const method = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' } as const

interface Shape extends Spec {
  readonly bound: number
  readonly self: boolean
  readonly repartitioned: boolean
}

function topologyOf({ how, before, after, grace, bound, self, repartitioned }: Shape): Topology {
  const builder = new StreamsBuilder()
  const streamOf = (topic: string): KStream<string | null, string | null> => {
    const source = { ...serde, tombstones: 'keep', watermark: watermarks.boundedOutOfOrderness(bound) } as const
    const stream = builder.stream(topic, source)
    return repartitioned ? stream.map((value, key) => [key, value] as const) : stream
  }
  const left = streamOf('left')
  const right = self ? left : streamOf('right')
  const windows = joinWindows.of(0).before(before).after(after).grace(grace)
  const joiner = (l: string | null, r: string | null) => `${l}-${r}`
  ;(left[method[how]] as KStream<string | null, string | null>['outerJoin'])(right, joiner, windows).to('out', serde)
  return builder.build()
}

const shapes = fc.record({
  how: fc.constantFrom('inner' as const, 'left' as const, 'outer' as const),
  before: fc.constantFrom(0, 1, 5, 40, 300),
  after: fc.constantFrom(0, 2, 10, 50, 400),
  grace: fc.constantFrom(0, 3, 20, 500),
  bound: fc.constantFrom(0, 4, 30),
  self: fc.boolean(),
  repartitioned: fc.boolean(),
})

const stepsOf = (keys: readonly string[], most: number) =>
  fc.array(
    fc.oneof(
      {
        weight: 20,
        arbitrary: fc.record({
          topic: fc.constantFrom('left' as const, 'right' as const),
          key: fc.option(fc.constantFrom(...keys), { freq: 12 }),
          tombstone: fc.integer({ min: 0, max: 9 }),
          forth: fc.oneof({ weight: 9, arbitrary: fc.nat(most) }, { weight: 1, arbitrary: fc.nat(most * 50) }),
          back: fc.oneof(
            { weight: 6, arbitrary: fc.constant(0) },
            { weight: 3, arbitrary: fc.nat(most * 2) },
            fc.nat(most * 80),
          ),
        }),
      },
      fc.constantFrom('checkpoint' as const, 'crash' as const, 'restore' as const),
    ),
    { maxLength: 150, size: 'max' },
  )

/** Time goes forth by itself, and single records fall behind it or run ahead. */
const steps = fc
  .oneof(stepsOf(['a', 'b', 'c'], 8), stepsOf(['a', 'b', 'c'], 3), stepsOf(['a'], 1))
  .map((found): Step[] => {
    let now = 1000
    return found.map((step, i) => {
      if (typeof step === 'string') return step
      now += step.forth
      const value = step.tombstone === 0 ? null : `${step.topic[0]}${i}`
      return { topic: step.topic, key: step.key, value, timestamp: Math.max(0, now - step.back) }
    })
  })

const options = fc.record({ batchSize: fc.constantFrom(1, 3, 1000), cacheBytes: fc.constantFrom(0, 2000, 1 << 20) })

/** Sends the steps; what a crash lost is sent again. */
function run(topology: Topology, steps: readonly Step[], options: DriverOptions): Joined[] {
  let driver = new TopologyTestDriver(topology, options)
  const found: Joined[] = []
  const take = () => {
    for (const { key, value, timestamp } of driver.output<string | null, string>('out').readAll())
      found.push({ key, value, timestamp })
  }
  const send = (records: readonly Sent[]) => {
    // neighbours of one topic go together: the driver cuts them into batches
    for (let i = 0; i < records.length; ) {
      const { topic } = records[i] as Sent
      let to = i
      while (to < records.length && records[to]?.topic === topic) to++
      driver.input(topic).sendAll(records.slice(i, to).map(({ key, value, timestamp }) => ({ key, value, timestamp })))
      i = to
    }
  }
  let since: Sent[] = []
  let waiting: Sent[] = []
  const flush = () => {
    send(waiting)
    waiting = []
  }
  for (const step of steps) {
    if (typeof step !== 'string') {
      since.push(step)
      waiting.push(step)
      continue
    }
    flush()
    if (step === 'crash') {
      driver.crash()
      send(since)
      continue
    }
    take()
    const restore = driver.checkpoint()
    since = []
    if (step === 'restore') driver = new TopologyTestDriver(topology, { ...options, restore })
  }
  flush()
  driver.end()
  take()
  return found
}

/** By partition: tasks share nothing. */
function expected(shape: Shape, steps: readonly Step[], partitions: number): Joined[][] {
  return Array.from({ length: partitions }, (_, partition) => {
    const model = new JoinModel(shape)
    const highest = { left: Number.NEGATIVE_INFINITY, right: Number.NEGATIVE_INFINITY }
    for (const step of steps) {
      if (typeof step === 'string' || partitionFor(step.key, partitions) !== partition) continue
      const { topic, key, value, timestamp } = step
      if (shape.self) model.both(key, value, timestamp)
      else model.record(topic, key, value, timestamp)
      highest[topic] = Math.max(highest[topic], timestamp)
      model.time((shape.self ? highest.left : Math.min(highest.left, highest.right)) - shape.bound - 1)
    }
    model.time(Number.POSITIVE_INFINITY)
    return model.out
  })
}

const partitionFor = (key: string | null, partitions: number): number =>
  partitions === 1 || key === null ? 0 : partitionOf(serde.key.serialize(key, ''), partitions)

const onlyLeft = (shape: Shape, all: readonly Step[]): Step[] =>
  shape.self ? all.map((step) => (typeof step === 'string' ? step : { ...step, topic: 'left' as const })) : [...all]

const sorted = (rows: readonly Joined[]): string[] => rows.map((row) => JSON.stringify(row)).sort()

describe('stream-stream joins', () => {
  it('know of a record that waits that it was matched, whatever the cache has forgotten', () => {
    const shape = {
      how: 'left',
      before: 300,
      after: 0,
      grace: 20,
      bound: 0,
      self: false,
      repartitioned: false,
    } as const
    using driver = new TopologyTestDriver(topologyOf(shape), { cacheBytes: 0 })
    driver.input('left').send('x', { key: 'a', timestamp: 1000 })
    for (const topic of ['left', 'right']) driver.input(topic).send('y', { key: 'b', timestamp: 1010 })
    for (let i = 0; i < 3; i++) driver.checkpoint()
    driver.input('right').send('z', { key: 'a', timestamp: 1000 })
    driver.end()
    const found = driver.output<string, string>('out').readAll()
    assert.deepEqual(
      found.map(({ value }) => value),
      ['y-y', 'x-z'],
    )
  })

  it('give what a model gives that keeps everything, with any batches, through crashes and restores', () => {
    fc.assert(
      fc.property(shapes, steps, options, (shape, given, opts) => {
        const all = onlyLeft(shape, given)
        assert.deepEqual(run(topologyOf(shape), all, opts), expected(shape, all, 1)[0])
      }),
      { numRuns: runs },
    )
  })

  it('join each partition by itself', () => {
    fc.assert(
      fc.property(shapes, steps, options, fc.integer({ min: 2, max: 4 }), (given, sent, opts, partitions) => {
        const shape = { ...given, repartitioned: false }
        const all = onlyLeft(shape, sent).filter((step) => typeof step === 'string' || step.key !== null)
        const found = run(topologyOf(shape), all, { ...opts, partitions })
        for (const [partition, rows] of expected(shape, all, partitions).entries())
          assert.deepEqual(
            found.filter(({ key }) => partitionFor(key, partitions) === partition),
            rows,
          )
      }),
      { numRuns: runs },
    )
  })

  it('join what comes from several tasks', () => {
    fc.assert(
      fc.property(shapes, steps, options, fc.integer({ min: 2, max: 4 }), (given, sent, opts, partitions) => {
        // nothing is late, so that it is the same in which order the tasks are read
        const shape = { ...given, repartitioned: true, grace: 1e6 }
        const all = onlyLeft(shape, sent)
        const found = run(topologyOf(shape), all, { ...opts, partitions })
        assert.deepEqual(sorted(found), sorted(expected(shape, all, 1)[0] as Joined[]))
      }),
      { numRuns: runs },
    )
  })
})
