import assert from 'node:assert/strict'
import { FrameBuilder } from '../../../../src/connectors/broker/frame-builder.ts'
import { type KStream, serdes, StreamsBuilder, watermarks } from '../../../../src/index.ts'
import { rowsOf } from '../../app/run.ts'
import { World, type WorldOptions } from './group-world.ts'

const own = { key: serdes.string(), value: serdes.json<number>() }
const mostWaiting = 20
const batchSize = 10
/** Four times what may wait, and what a slice of each producer brings. */
const enough = 4 * mostWaiting + 4 * batchSize

type Records = readonly (readonly [value: number, timestamp: number])[]

/** Numbers [0, count), at times from `start` on. */
const numbers = (count: number, start: number, step = 1): Records =>
  Array.from({ length: count }, (_, n) => [n, start + n * step] as const)

/** A world with these records, by topic and partition. */
function worldOf(
  topology: (builder: StreamsBuilder) => void,
  topics: Readonly<Record<string, readonly Records[]>>,
  options: Partial<WorldOptions> = {},
): World {
  const builder = new StreamsBuilder()
  topology(builder)
  const sizes = { ringBytes: 4096, creditBytes: 300, cacheBytes: 1 << 20, batchSize, mostWaiting }
  const idle = { maxTaskIdle: Number.POSITIVE_INFINITY }
  const world = new World(builder.build(), { workers: 1, partitions: 2, ...sizes, ...idle, ...options })
  for (const [topic, partitions] of Object.entries(topics)) {
    world.log.createTopic(topic, partitions.length)
    const builders = partitions.map((records) => {
      const frame = new FrameBuilder()
      for (const [n, at] of records) frame.add(Buffer.from(`${n}`), Buffer.from(`${n}`), at)
      return frame
    })
    world.append(topic, builders)
  }
  world.log.createTopic('out', 1)
  world.start()
  return world
}

const timesOf = ({ log }: World): number[] => rowsOf(log, 'out').map(({ timestamp }) => timestamp)

describe('what waits for a task in memory', () => {
  const moved = (builder: StreamsBuilder, topic: string) =>
    builder.stream(topic, own).repartition({ name: `by-${topic}` })
  const counted = (stream: KStream<string | null, number>) => stream.groupByKey().count().toStream().to('out', own)

  for (const workers of [1, 2])
    it(`is bounded where one input lies long before another, with ${workers} workers`, () => {
      const world = worldOf(
        (builder) => counted(moved(builder, 'early').merge(moved(builder, 'late'))),
        { early: [numbers(1000, 1), numbers(1000, 2)], late: [numbers(1000, 5000), numbers(1000, 5001)] },
        { workers },
      )
      assert.ok(world.finish())
      assert.ok(world.mostBacklog < enough, `${world.mostBacklog}`)
      assert.equal(timesOf(world).length, 4000)
    })

  it('is bounded where a topic is read beside what comes from another task', () => {
    const world = worldOf(
      (builder) => counted(builder.stream('direct', own).merge(moved(builder, 'moved'))),
      { direct: [numbers(1000, 1, 2)], moved: [numbers(1000, 2, 2)] },
      { partitions: 1 },
    )
    assert.ok(world.finish())
    assert.ok(world.mostBacklog < enough, `${world.mostBacklog}`)
    assert.deepEqual(
      timesOf(world),
      Array.from({ length: 2000 }, (_, n) => n + 1),
    )
  })

  it('is bounded where a task has no room on another thread', () => {
    const world = worldOf(
      (builder) =>
        builder
          .stream('in', own)
          .flatMapValues((n) => [n, n, n, n])
          .repartition({ partitions: 2, partitioner: () => 0 })
          .flatMapValues((n) => [n, n, n, n])
          .repartition({ partitions: 2, partitioner: () => 1 })
          .to('out', own),
      { in: [numbers(500, 1), []] },
      { workers: 2 },
    )
    // the other one comes seldom
    for (let turn = 0; turn < 200; turn++) world.run(0)
    assert.ok(world.mostBacklog < enough, `${world.mostBacklog}`)
    assert.ok(world.finish())
    assert.equal(timesOf(world).length, 8000)
  })

  it('is not, where what is waited for comes from the same source', () => {
    const spread = { ...own, watermark: watermarks.boundedOutOfOrderness(300) }
    const world = worldOf(
      (builder) => {
        const source = builder.stream('in', spread)
        const most = source.filter((n) => n % 100 > 0).repartition({ name: 'most' })
        const few = source.filter((n) => n % 100 === 0).repartition({ name: 'few' })
        counted(most.merge(few))
      },
      { in: [numbers(1000, 1)] },
      { partitions: 1 },
    )
    assert.ok(world.finish(), 'it waits for what it holds up')
    assert.equal(timesOf(world).length, 1000)
  })
})
