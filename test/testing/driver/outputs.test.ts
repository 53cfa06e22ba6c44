import assert from 'node:assert/strict'
import { StreamsBuilder, watermarks, windows } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { text, echo, counts, values } from './topologies.ts'

describe('TopologyTestDriver', () => {
  describe('outputs', () => {
    it('are read one by one, all at once, or by key', () => {
      using driver = new TopologyTestDriver(echo())
      const out = driver.output('out')
      assert.equal(out.isEmpty, true)
      assert.equal(out.read(), undefined)
      for (const [key, value] of ['ax', 'by', 'az', 'bw'].map((pair) => [...pair]))
        driver.input('in').send(value as string, { key: key as string })
      assert.equal(out.isEmpty, false)
      assert.equal(out.read()?.value, 'x')
      assert.deepEqual(
        out.readAllToMap(),
        new Map([
          ['b', 'w'],
          ['a', 'z'],
        ]),
      )
      assert.equal(out.isEmpty, true)
    })

    it('have null for a deletion, and dynamic topics each their own', () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { ...text, tombstones: 'keep' })
        .to((value) => (value === null ? 'gone' : `to-${value}`), text as never)
      using driver = new TopologyTestDriver(builder.build())
      driver.input('in').send('a', { key: 'k' })
      driver.input('in').send(null, { key: 'k' })
      assert.deepEqual(values(driver, 'to-a'), ['a'])
      assert.deepEqual(values(driver, 'gone'), [null])
    })
  })

  describe('time', () => {
    it('moves by hand where a source has no strategy', () => {
      using driver = new TopologyTestDriver(counts(watermarks.none()))
      driver.input('in').send('x', { key: 'a', timestamp: 3 })
      driver.input('in').send('x', { key: 'a', timestamp: 30 })
      assert.deepEqual(values(driver), [])
      driver.advanceWatermark('in', 9)
      assert.deepEqual(values(driver), ['0:1'])
      driver.advanceWatermark('in', 5)
      driver.input('in').send('y', { key: 'a', timestamp: 9 })
      assert.deepEqual(values(driver, 'late'), ['y'])
    })

    it('ends input by input, or all at once', () => {
      const builder = new StreamsBuilder()
      const left = builder.stream('left', text)
      left
        .merge(builder.stream('right', text))
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .emit('close')
        .count()
        .toStream()
        .map((count, { key }) => [key, String(count)] as const)
        .to('out', text)
      for (const all of [false, true]) {
        using driver = new TopologyTestDriver(builder.build())
        driver.input('left').send('x', { key: 'a', timestamp: 3 })
        driver.input('left').end()
        assert.deepEqual(values(driver), [])
        if (all) driver.end()
        else driver.input('right').end()
        assert.deepEqual(values(driver), ['1'])
      }
    })

    it('of the wall stands still until it is moved, then makes timers and punctuators due in their order', () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', text)
        .process<string, string>((ctx) => {
          ctx.schedule('1s', 'wall', (at) => ctx.forward(`tick ${at}`, ''))
          return {
            process: (_, key) => ctx.timers.set(key as string, ctx.wallTime + 1500, { clock: 'wall' }),
            onTimer: (key, at) => ctx.forward(`timer ${at}`, key),
          }
        })
        .to('out', text)
      using driver = new TopologyTestDriver(builder.build(), { startTime: 100 })
      driver.input('in').send('x', { key: 'a' })
      assert.deepEqual(values(driver), [])
      driver.advanceWallClock(1000)
      assert.deepEqual(values(driver), ['tick 1100'])
      driver.advanceWallClock('1s')
      assert.deepEqual(values(driver), ['timer 1600', 'tick 2100'])
      driver.advanceWallClock('500ms')
      assert.deepEqual(values(driver), [])
    })

    it('lets an input that is silent go idle, as an app does', () => {
      const builder = new StreamsBuilder()
      const streamOf = (topic: string) =>
        builder.stream(topic, { ...text, watermark: watermarks.monotonous().withIdleness('10s') })
      streamOf('left')
        .merge(streamOf('right'))
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .emit('close')
        .count()
        .toStream()
        .map((count, { key }) => [key, String(count)] as const)
        .to('out', text)
      using driver = new TopologyTestDriver(builder.build())
      driver.input('right').send('x', { key: 'a', timestamp: 1 })
      driver.advanceWallClock('9s')
      driver.input('left').send('x', { key: 'a', timestamp: 2 })
      driver.input('left').send('x', { key: 'a', timestamp: 20 })
      assert.deepEqual(values(driver), [])
      driver.advanceWallClock('1s')
      assert.deepEqual(values(driver), ['2'])
    })
  })
})
