import assert from 'node:assert/strict'
import { StreamsBuilder } from '../../../../src/dsl/builder/index.ts'
import { serdes } from '../../../../src/dsl/serdes/index.ts'
import { every, windows } from '../../../../src/dsl/windows/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import type { Topology } from '../../../../src/index.ts'

const source = { key: serdes.string(), value: serdes.number(), timestamp: (v: number) => v, nullKeys: 'drop' } as const
const sink = { key: serdes.windowed(serdes.string()), value: serdes.number() }

const readAll = (driver: TopologyTestDriver): string[] =>
  driver
    .output('out')
    .readAll()
    .map(({ key: { key, window }, value, timestamp }) => `${key}[${window.start},${window.end}) ${value} @${timestamp}`)

function tumbling(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('in', source)
    .groupByKey()
    .windowedBy(windows.tumbling('10ms', { clock: 'wall' }))
    .emit('close')
    .count()
    .toStream()
    .to('out', sink)
  return builder.build()
}

describe('windows over the wall clock', () => {
  it('take the time of processing, and close by the clock', () => {
    const driver = new TopologyTestDriver(tumbling(), { startTime: 1005 })
    driver.input('in').send(5_000_000, { key: 'a' })
    driver.advanceWallClock(4)
    driver.input('in').send(1, { key: 'a' })
    assert.deepEqual(readAll(driver), [])
    driver.advanceWallClock(1)
    assert.deepEqual(readAll(driver), ['a[1000,1010) 2 @1009'])
    driver.input('in').send(2, { key: 'a' })
    driver.end()
    assert.deepEqual(readAll(driver), ['a[1010,1020) 1 @1019'])
  })

  it('close after a restore what fell due in the meantime', () => {
    const driver = new TopologyTestDriver(tumbling(), { startTime: 1005 })
    driver.input('in').send(1, { key: 'a' })
    driver.checkpoint()
    driver.input('in').send(2, { key: 'b' })
    driver.crash()
    driver.advanceWallClock(500)
    assert.deepEqual(readAll(driver), ['a[1000,1010) 1 @1009'])
    driver.advanceWallClock(500)
    assert.deepEqual(readAll(driver), [])
  })

  it('close before a record that comes after them, tick or not', () => {
    const driver = new TopologyTestDriver(tumbling(), { startTime: 1000 })
    driver.input('in').send(1, { key: 'a' })
    driver.checkpoint()
    driver.advanceWallClock(30)
    driver.input('in').send(1, { key: 'a' })
    driver.end()
    assert.deepEqual(readAll(driver), ['a[1000,1010) 1 @1009', 'a[1030,1040) 1 @1039'])
  })

  it('are sessions, too', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', source)
      .groupByKey()
      .windowedBy(windows.session('10ms', { clock: 'wall' }))
      .emit('close')
      .count()
      .toStream()
      .to('out', sink)
    const driver = new TopologyTestDriver(builder.build(), { startTime: 1000 })
    driver.input('in').send(1, { key: 'a' })
    driver.advanceWallClock(10)
    driver.input('in').send(2, { key: 'a' })
    driver.advanceWallClock(10)
    assert.deepEqual(readAll(driver), [])
    driver.advanceWallClock(1)
    assert.deepEqual(readAll(driver), ['a[1000,1010) 2 @1010'])
  })
})

describe('every, by the wall clock', () => {
  const kinds = {
    tumbling: windows.tumbling('100ms').grace('0ms'),
    session: windows.session('50ms').noGrace(),
    sliding: windows.sliding('50ms').noGrace(),
    count: windows.count(5),
    unlimited: windows.unlimited(),
  }
  for (const [kind, given] of Object.entries(kinds)) {
    it(`shows ${kind} windows that changed, over a crash, and the last of them at the end`, () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', source)
        .groupByKey()
        .windowedBy(given as typeof kinds.count)
        .emit(every('1s', { clock: 'wall' }))
        .count()
        .toStream()
        .to('out', sink)
      const driver = new TopologyTestDriver(builder.build(), { startTime: 5 })
      const values = () =>
        driver
          .output('out')
          .readAll()
          .map(({ value }) => value)
      driver.input('in').send(10, { key: 'a' })
      driver.input('in').send(10, { key: 'a' })
      driver.advanceWallClock(900)
      assert.deepEqual(values(), [])
      driver.checkpoint()
      driver.crash()
      driver.advanceWallClock(95)
      assert.deepEqual(values(), [2])
      driver.advanceWallClock(5000)
      assert.deepEqual(values(), [])
      driver.input('in').send(10, { key: 'a' })
      driver.checkpoint()
      driver.advanceWallClock(1000)
      assert.deepEqual(values(), [3])
      driver.input('in').send(10, { key: 'a' })
      driver.end()
      assert.deepEqual(values(), [4])
    })
  }
})
