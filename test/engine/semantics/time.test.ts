import assert from 'node:assert/strict'
import {
  every,
  joinWindows,
  serdes,
  StreamsBuilder,
  type Topology,
  type WatermarkStrategy,
  watermarks,
  windows,
} from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

const text = { key: serdes.string(), value: serdes.string() }
type Record = readonly [timestamp: number, key?: string | null, value?: string | null, topic?: string]

/** Each record with the W that it is processed at. */
function watching(watermark?: WatermarkStrategy<never>, options: object = {}): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { ...text, ...(watermark === undefined ? {} : { watermark: watermark as never }), ...options })
    .process<string, string>((ctx) => ({
      process: (v, _, { timestamp }) => ctx.forward(`${timestamp}@${ctx.watermark}`, `${v}`),
    }))
    .to('out', text)
  return builder.build()
}

interface Windowing {
  readonly frame: object
  readonly emit?: unknown
  readonly bound?: number
}

/** Counts by key and window; results as `key start..end count @ timestamp`, late ones as `late timestamp`. */
function counting({ frame, emit = 'close', bound = 0 }: Windowing): Topology {
  const builder = new StreamsBuilder()
  const watermark = watermarks.boundedOutOfOrderness(bound)
  builder
    .stream('in', { ...text, watermark })
    .groupByKey()
    .windowedBy(frame as never)
    .emit(emit as never)
    .lateTo(((late: { mapValues(fn: (...args: never[]) => string): { to(topic: string, o: object): void } }) =>
      late
        .mapValues((_v: never, _k: never, { timestamp }: { timestamp: number }) => `late ${timestamp}`)
        .to('out', text)) as never)
    .count()
    .toStream()
    .map((n, { key, window }) => [key, `${key} ${window.start}..${window.end} ${n}`] as const)
    .to('out', text)
  return builder.build()
}

function run(topology: Topology, records: readonly Record[], end = false): string[] {
  using driver = new TopologyTestDriver(topology)
  for (const [timestamp, key = 'a', value = 'v', topic = 'in'] of records)
    driver.input(topic).send(value, { key, timestamp })
  if (end) driver.end()
  return driver
    .output<string, string>('out')
    .readAll()
    .map(({ value, timestamp }) => (value.includes('..') ? `${value} @ ${timestamp}` : value))
}

describe('time', () => {
  describe('a partition’s W', () => {
    const never = '-Infinity'
    const cases: readonly (readonly [
      string,
      WatermarkStrategy<never> | undefined,
      readonly Record[],
      readonly string[],
    ])[] = [
      ['is the highest timestamp - 1 by default', undefined, [[5], [9], [12]], [`5@${never}`, '9@4', '12@8']],
      ['never goes back', watermarks.monotonous(), [[9], [3], [4], [10]], [`9@${never}`, '3@8', '4@8', '10@8']],
      [
        'is so far behind the highest timestamp - 1',
        watermarks.boundedOutOfOrderness(3),
        [[5], [9], [6]],
        [`5@${never}`, '9@1', '6@5'],
      ],
      [
        'is what a punctuated strategy says, or stays',
        watermarks.punctuated((v: never, at) => (v === 'w' ? at : null)),
        [[5], [6, 'a', 'w'], [9], [7, 'a', 'w'], [3, 'a', 'w'], [9]],
        [`5@${never}`, `6@${never}`, '9@6', '7@6', '3@7', '9@7'],
      ],
      [
        'moves only by hand where there is no strategy',
        watermarks.none(),
        [[5], [500]],
        [`5@${never}`, `500@${never}`],
      ],
      ['may be below the epoch', watermarks.boundedOutOfOrderness('1d'), [[0], [5]], [`0@${never}`, '5@-86400001']],
    ]
    for (const [name, strategy, records, expected] of cases)
      it(name, () => assert.deepEqual(run(watching(strategy), records), expected))

    it('moves by tombstones and by records without a key that are dropped', () => {
      assert.deepEqual(run(watching(), [[5], [9, 'a', null], [10]]), ['5@-Infinity', '10@8'])
      const driver = new TopologyTestDriver(watching(undefined, { nullKeys: 'drop' }))
      for (const [timestamp, key] of [
        [5, 'a'],
        [9, null],
        [10, 'a'],
      ] as const)
        driver.input('in').send('v', { key, timestamp })
      assert.deepEqual(
        driver
          .output('out')
          .readAll()
          .map(({ value }) => value),
        ['5@-Infinity', '10@8'],
      )
    })

    it('is not moved by timestamps that are no times', () => {
      const timestamp = (value: string) => Number(value)
      const topology = watching(undefined, { timestamp, onInvalid: 'skip' })
      const records: Record[] = ['5', '-1', 'NaN', '253402300800000', '1.5', '7'].map((value) => [0, 'a', value])
      assert.deepEqual(run(topology, records), ['5@-Infinity', '7@4'])
    })

    it('is +infinity at the end of the input', () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', text)
        .process<string, string>((ctx) => ({ process() {}, end: () => ctx.forward(String(ctx.watermark), 'a') }))
        .to('out', text)
      assert.deepEqual(run(builder.build(), [[5]], true), ['Infinity'])
    })
  })

  describe('a task’s W', () => {
    const merged = (idle: (w: WatermarkStrategy) => WatermarkStrategy = (w) => w) => {
      const builder = new StreamsBuilder()
      const one = (topic: string) => builder.stream(topic, { ...text, watermark: idle(watermarks.monotonous()) })
      one('left')
        .merge(one('right'))
        .process<string, string>((ctx) => ({ process: (v) => ctx.forward(`${v}@${ctx.watermark}`, '') }))
        .to('out', text)
      return new TopologyTestDriver(builder.build())
    }
    const out = (driver: TopologyTestDriver) =>
      driver
        .output('out')
        .readAll()
        .map(({ value }) => value)
    const send = (driver: TopologyTestDriver, topic: string, timestamp: number) =>
      driver.input(topic).send(`${timestamp}`, { timestamp })

    it('is the lowest of its streams', () => {
      const driver = merged()
      for (const [topic, timestamp] of [
        ['left', 10],
        ['right', 4],
        ['left', 20],
        ['right', 30],
        ['left', 40],
      ] as const)
        send(driver, topic, timestamp)
      assert.deepEqual(out(driver), ['10@-Infinity', '4@-Infinity', '20@3', '30@3', '40@19'])
    })

    it('does not wait for tables', () => {
      const builder = new StreamsBuilder()
      const table = builder.table('table', text)
      builder
        .stream('in', text)
        .leftJoin(table, (v) => v)
        .process<string, string>((ctx) => ({ process: (v) => ctx.forward(`${v}@${ctx.watermark}`, '') }))
        .to('out', text)
      using driver = new TopologyTestDriver(builder.build())
      driver.input('in').send('1', { key: 'a', timestamp: 10 })
      driver.input('table').send('row', { key: 'a', timestamp: 100 })
      driver.input('in').send('2', { key: 'a', timestamp: 20 })
      assert.deepEqual(out(driver), ['1@-Infinity', '2@9'])
    })

    it('is that of its tables where it has no stream', () => {
      const builder = new StreamsBuilder()
      builder
        .table('in', text)
        .toStream()
        .process<string, string>((ctx) => ({
          process: (v, _, { timestamp }) => ctx.forward(`${timestamp}@${ctx.watermark}`, ''),
        }))
        .to('out', text)
      assert.deepEqual(run(builder.build(), [[5], [9]]), ['5@-Infinity', '9@4'])
    })

    it('does not wait for an input that is silent for 30 s, until that speaks again', () => {
      const driver = merged()
      send(driver, 'right', 5)
      send(driver, 'left', 10)
      driver.advanceWallClock('29s')
      send(driver, 'left', 20)
      driver.advanceWallClock('1s')
      send(driver, 'left', 30)
      send(driver, 'right', 25)
      send(driver, 'left', 40)
      assert.deepEqual(out(driver), ['5@-Infinity', '10@-Infinity', '20@4', '30@19', '25@29', '40@29'])
    })

    it('waits for ever where it is told to', () => {
      const driver = merged((w) => w.withoutIdleness())
      send(driver, 'right', 5)
      send(driver, 'left', 10)
      driver.advanceWallClock('1d')
      send(driver, 'left', 20)
      assert.deepEqual(out(driver), ['5@-Infinity', '10@-Infinity', '20@4'])
    })

    it('waits a second for an input that has never spoken', () => {
      const driver = merged()
      driver.advanceWallClock(999)
      send(driver, 'left', 10)
      send(driver, 'left', 20)
      driver.advanceWallClock(1)
      send(driver, 'left', 30)
      assert.deepEqual(out(driver), ['10@-Infinity', '20@-Infinity', '30@19'])
    })

    it('behind a repartition is the lowest of all tasks that send, sent they anything or not, but of those that are idle', () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', text)
        .repartition(text)
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .emit('close')
        .count()
        .toStream()
        .map((n, { key, window }) => [key, `${window.start}:${n}`] as const)
        .to('out', text)
      using driver = new TopologyTestDriver(builder.build(), { partitions: 2 })
      const send = (partition: number, timestamp: number) => {
        driver.input('in').send('', { key: 'a', timestamp, partition })
        return driver
          .output('out')
          .readAll()
          .map(({ value }) => value)
      }
      // partition 1 has not spoken yet: its task is at minus infinity
      assert.deepEqual(send(0, 25), [])
      assert.deepEqual(send(1, 5), [])
      assert.deepEqual(send(1, 12), ['0:1'])
      driver.advanceWallClock('30s')
      assert.deepEqual(send(0, 35), ['10:1', '20:1'])
      // it counts again from its first record
      assert.deepEqual(send(1, 36), [])
      assert.deepEqual(send(0, 55), [])
      assert.deepEqual(send(1, 41), ['30:2'])
    })

    it('is the highest timestamp - 1 when all are idle, whatever the bound', () => {
      const idle = (w: WatermarkStrategy) => w.withIdleness('5s')
      const builder = new StreamsBuilder()
      builder
        .stream('in', { ...text, watermark: idle(watermarks.boundedOutOfOrderness('1h')) })
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .emit('close')
        .count()
        .toStream()
        .map((n, { window }) => ['', `${window.start}:${n}`] as const)
        .to('out', text)
      using driver = new TopologyTestDriver(builder.build())
      driver.input('in').send('v', { key: 'a', timestamp: 3 })
      driver.input('in').send('v', { key: 'a', timestamp: 25 })
      driver.advanceWallClock('5s')
      assert.deepEqual(out(driver), ['0:1'])
    })

    it('follows the clock where it is told to', () => {
      const builder = new StreamsBuilder()
      // oxlint-disable-next-line unicorn/no-thenable -- an option's name
      const watermark = watermarks.monotonous().withIdleness('5s', { then: 'followClock' })
      builder
        .stream('in', { ...text, watermark })
        .groupByKey()
        .windowedBy(windows.tumbling('10s').noGrace())
        .emit('close')
        .count()
        .toStream()
        .map((n, { window }) => ['', `${window.start}:${n}`] as const)
        .to('out', text)
      using driver = new TopologyTestDriver(builder.build())
      driver.input('in').send('v', { key: 'a', timestamp: 3000 })
      driver.advanceWallClock('6s')
      assert.deepEqual(out(driver), [])
      driver.advanceWallClock('1s')
      assert.deepEqual(out(driver), ['0:1'])
    })

    it('is part of the checkpoint, and so is who is idle', () => {
      const driver = merged()
      send(driver, 'right', 5)
      send(driver, 'left', 10)
      driver.advanceWallClock('30s')
      send(driver, 'left', 20)
      driver.checkpoint()
      driver.crash()
      send(driver, 'left', 30)
      assert.deepEqual(out(driver).at(-1), '30@19')
    })
  })

  describe('windows', () => {
    const t10 = windows.tumbling(10)
    const cases: readonly (readonly [string, Windowing, readonly Record[], readonly string[]])[] = [
      ['hold [start, end)', { frame: t10.noGrace() }, [[0], [9], [10], [21]], ['a 0..10 2 @ 9', 'a 10..20 1 @ 10']],
      ['close when W reaches end - 1', { frame: t10.noGrace() }, [[3], [9]], []],
      ['close when W has reached it, not before', { frame: t10.noGrace() }, [[3], [10]], ['a 0..10 1 @ 3']],
      ['with grace close so much later', { frame: t10.grace(5) }, [[3], [14]], []],
      [
        'with grace take what is late until then',
        { frame: t10.grace(5) },
        [[3], [14], [9], [15], [9]],
        ['a 0..10 2 @ 9', 'late 9'],
      ],
      [
        'wait for the bound too',
        { frame: t10.noGrace(), bound: 4 },
        [[3], [13], [9], [14], [9]],
        ['a 0..10 2 @ 9', 'late 9'],
      ],
      [
        'that hop each take a record',
        { frame: windows.hopping(10, { advance: 5 }).noGrace() },
        [[7], [30]],
        ['a 0..10 1 @ 7', 'a 5..15 1 @ 7'],
      ],
      [
        'that hop do not start before 0',
        { frame: windows.hopping(10, { advance: 5 }).noGrace() },
        [[2], [30]],
        ['a 0..10 1 @ 2'],
      ],
      [
        'that hop tell of a late record once, iff it is late for all of them',
        { frame: windows.hopping(10, { advance: 5 }).noGrace() },
        [[7], [12], [8], [30], [8]],
        ['a 0..10 1 @ 7', 'a 5..15 3 @ 12', 'a 10..20 1 @ 12', 'late 8'],
      ],
      [
        'have an offset',
        { frame: windows.tumbling(10, { offset: 3 }).noGrace() },
        [[2], [3], [12], [40]],
        ['a 0..3 1 @ 2', 'a 3..13 2 @ 12'],
      ],
      [
        'close in the order of their closing, then of their starts, then of their keys',
        { frame: windows.hopping(10, { advance: 5 }).noGrace() },
        [
          [7, 'b'],
          [6, 'a'],
          [100, 'z'],
        ],
        ['a 0..10 1 @ 6', 'b 0..10 1 @ 7', 'a 5..15 1 @ 6', 'b 5..15 1 @ 7'],
      ],
      [
        'of sessions reach from their first to their last record',
        { frame: windows.session(5).noGrace() },
        [[3], [8], [20]],
        ['a 3..8 2 @ 8'],
      ],
      ['of sessions close at last + gap', { frame: windows.session(5).noGrace() }, [[3], [8]], []],
      [
        'of sessions close at last + gap, not before',
        { frame: windows.session(5).noGrace() },
        [[3], [9]],
        ['a 3..3 1 @ 3'],
      ],
      ['of sessions merge', { frame: windows.session(5).grace(20) }, [[3], [12], [8], [50]], ['a 3..12 3 @ 12']],
      [
        'of sessions judge the merged session',
        { frame: windows.session(5).noGrace() },
        [[3], [8], [10, 'b'], [4], [13, 'b'], [30], [4]],
        ['a 3..8 3 @ 8', 'b 10..13 2 @ 13', 'late 4'],
      ],
      [
        'come out at each change',
        { frame: t10.noGrace(), emit: 'update' },
        [[3], [4], [20], [5]],
        ['a 0..10 1 @ 3', 'a 0..10 2 @ 4', 'a 20..30 1 @ 20', 'late 5'],
      ],
      [
        'come out on time, then at each late change',
        { frame: t10.grace(10), emit: 'onTime' },
        [[3], [4], [10], [5], [50]],
        ['a 0..10 2 @ 4', 'a 0..10 3 @ 5', 'a 10..20 1 @ 10'],
      ],
      [
        'come out at each tick if they have changed, and at the end',
        { frame: windows.tumbling(100).noGrace(), emit: every(10) },
        [[3], [9], [10], [30], [31], [200]],
        ['a 0..100 3 @ 10', 'a 0..100 4 @ 30', 'a 0..100 5 @ 31'],
      ],
      ['have the highest timestamp of their records', { frame: t10.grace(5) }, [[8], [2], [20]], ['a 0..10 2 @ 8']],
    ]
    for (const [name, windowing, records, expected] of cases)
      it(name, () => assert.deepEqual(run(counting(windowing), records), expected))

    it('close at the end of the input', () => {
      assert.deepEqual(run(counting({ frame: t10.grace(5) }), [[3], [14]], true), ['a 0..10 1 @ 3', 'a 10..20 1 @ 14'])
    })

    it('of stream-stream joins are open until t + after + grace', () => {
      const builder = new StreamsBuilder()
      builder
        .stream('left', text)
        .leftJoin(builder.stream('right', text), (l, r) => `${l}${r ?? '-'}`, joinWindows.of(10).before(0).grace(2))
        .to('out', text)
      const records: Record[] = [
        [100, 'a', 'l', 'left'],
        [110, 'a', 'r', 'right'],
        [111, 'a', 'x', 'right'],
        [113, 'b', 'm', 'left'],
        [113, 'b', 'y', 'right'],
        [200, 'c', 'n', 'left'],
        [200, 'd', 'z', 'right'],
      ]
      assert.deepEqual(run(builder.build(), records), ['lr', 'my'])
    })
  })

  describe('within one step', () => {
    it('a record comes before the timers that its W makes due, in the order of time, key, setting', () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', text)
        .process<string, string>((ctx) => ({
          process(value, key) {
            ctx.forward(`record ${value}`, '')
            for (const [name, at] of [
              ['y', 12],
              ['x', 12],
              ['z', 11],
            ] as const)
              ctx.timers.set(`${key}`, at, { name })
          },
          onTimer: (key, at, name) => ctx.forward(`${key} ${at} ${name}`, '', {}),
        }))
        .to('out', text)
      assert.deepEqual(
        run(builder.build(), [
          [5, 'b', '1'],
          [6, 'a', '2'],
          [13, 'c', '3'],
        ]),
        [
          'record 1',
          'record 2',
          'record 3',
          'a 11 z',
          'b 11 z',
          'c 11 z',
          'a 12 y',
          'a 12 x',
          'b 12 y',
          'b 12 x',
          'c 12 y',
          'c 12 x',
        ],
      )
    })

    it('results have the times and headers that they should', () => {
      const builder = new StreamsBuilder()
      const table = builder.table('rows', text)
      const stream = builder.stream('in', text)
      stream.join(table, (v, row) => v + row).to('joined', text)
      stream
        .process<string, string>((ctx) => ({
          process: (_, key) => ctx.timers.set(`${key}`, 40),
          onTimer: (key) => ctx.forward('timer', key),
        }))
        .to('timed', text)
      stream.groupByKey().count().toStream().mapValues(String).to('counts', text)
      using driver = new TopologyTestDriver(builder.build())
      driver.input('rows').send('row', { key: 'a', timestamp: 50, headers: { of: 'row' } })
      driver.input('in').send('v', { key: 'a', timestamp: 20, headers: { of: 'record' } })
      driver.input('in').send('v', { key: 'a', timestamp: 10, headers: { of: 'second' } })
      driver.end()
      const found = (topic: string) =>
        driver
          .output(topic)
          .readAll()
          .map(({ timestamp, headers }) => [timestamp, headers['of']])
      assert.deepEqual(found('joined'), [
        [20, 'record'],
        [10, 'second'],
      ])
      assert.deepEqual(found('counts'), [
        [20, 'record'],
        [20, 'second'],
      ])
      assert.deepEqual(found('timed'), [[40, undefined]])
    })
  })

  it('goes through a repartition record by record: what is late is late with it as without', () => {
    const topology = (repartitioned: boolean) => {
      const builder = new StreamsBuilder()
      const stream = builder.stream('in', text)
      const moved = repartitioned ? stream.repartition(text) : stream
      moved
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .emit('close')
        .lateTo('out', text)
        .count()
        .toStream()
        .map((n, { key, window }) => [key, `${window.start}:${n}`] as const)
        .to('out', text)
      return builder.build()
    }
    const records = [3, 12, 9, 25, 19, 31, 24, 8, 40].map((timestamp) => ({
      key: 'a',
      value: `late ${timestamp}`,
      timestamp,
    }))
    for (const batchSize of [1, 2, 100]) {
      const [direct, through] = [false, true].map((repartitioned) => {
        using driver = new TopologyTestDriver(topology(repartitioned), { batchSize })
        driver.input('in').sendAll(records)
        return driver.output('out').readAll()
      })
      assert.deepEqual(through, direct)
      assert.deepEqual(
        direct?.map(({ value }) => value),
        ['0:1', 'late 9', '10:1', 'late 19', '20:1', 'late 24', 'late 8', '30:1'],
      )
    }
  })
})
