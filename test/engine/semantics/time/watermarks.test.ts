import assert from 'node:assert/strict'
import { StreamsBuilder, type WatermarkStrategy, watermarks, windows } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { text, type Record, watching, run } from './topologies.ts'

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
})
