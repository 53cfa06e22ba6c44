import assert from 'node:assert/strict'
import { StreamsBuilder } from '../../../../src/dsl/builder/index.ts'
import { serdes } from '../../../../src/dsl/serdes/index.ts'
import { watermarks } from '../../../../src/dsl/watermarks/index.ts'
import { every, windows } from '../../../../src/dsl/windows/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'

const source = { key: serdes.string(), value: serdes.number(), timestamp: (v: number) => v, nullKeys: 'drop' } as const

describe('windowed aggregates in a topology', () => {
  it('runs sessions, over a crash, and shows their store', () => {
    const builder = new StreamsBuilder()
    const sessions = builder
      .stream('taps', source)
      .groupByKey()
      .windowedBy(windows.session('5ms').noGrace())
      .emit('close')
      .count({ store: 'sessions' })
    sessions.toStream().to('counts', { key: serdes.windowed(serdes.string()), value: serdes.number() })
    const driver = new TopologyTestDriver(builder.build())
    driver.input('taps').send(10, { key: 'a' })
    driver.checkpoint()
    driver.input('taps').send(99, { key: 'a' })
    driver.crash()
    driver.input('taps').send(12, { key: 'a' })
    const rows = (from: number, to: number) => [...driver.store('sessions').fetchAll(from, to)]
    assert.deepEqual(rows(0, 100), [[{ key: 'a', window: { start: 10, end: 12 } }, 2]])
    driver.input('taps').send(30, { key: 'b' })
    const [row, ...more] = driver.output('counts').readAll()
    assert.deepEqual([row?.key, row?.value, row?.timestamp], [{ key: 'a', window: { start: 10, end: 12 } }, 2, 12])
    assert.deepEqual(more, [])
    assert.deepEqual(rows(0, 100), [[{ key: 'b', window: { start: 30, end: 30 } }, 1]])
  })

  it('shows what is kept between ticks', () => {
    const builder = new StreamsBuilder()
    const counts = builder
      .stream('taps', source)
      .groupByKey()
      .windowedBy(windows.tumbling('10ms').noGrace())
      .emit(every('4ms'))
      .count({ store: 'counts' })
    counts.toStream().to('out', { key: serdes.windowed(serdes.string()), value: serdes.number() })
    const driver = new TopologyTestDriver(builder.build())
    for (const t of [11, 12, 13, 17, 18]) driver.input('taps').send(t, { key: 'a' })
    assert.equal(driver.store('counts').get('a', 10), 5)
    const restored = new TopologyTestDriver(builder.build(), { restore: driver.checkpoint() })
    restored.input('taps').send(30, { key: 'b' })
    const values = [...driver.output('out').readAll(), ...restored.output('out').readAll()].map(({ value }) => value)
    assert.deepEqual(values, [2, 4, 5])
  })

  it('shows at ticks what came before W had a value, over a restore', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('taps', { ...source, watermark: watermarks.none() })
      .groupByKey()
      .windowedBy(windows.hopping('10ms', { advance: '5ms' }).noGrace())
      .emit(every('4ms'))
      .count()
      .toStream()
      .to('out', { key: serdes.windowed(serdes.string()), value: serdes.number() })
    const driver = new TopologyTestDriver(builder.build())
    driver.input('taps').send(2, { key: 'a' })
    driver.checkpoint()
    driver.crash()
    driver.end()
    const rows = driver.output('out').readAll()
    assert.deepEqual(
      rows.map(({ key, value }) => [key, value]),
      [[{ key: 'a', window: { start: 0, end: 10 } }, 1]],
    )
  })
})
