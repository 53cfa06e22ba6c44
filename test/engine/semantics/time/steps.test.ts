import assert from 'node:assert/strict'
import { StreamsBuilder, windows } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { text, run } from './topologies.ts'

describe('time', () => {
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
