import assert from 'node:assert/strict'
import { serdes, StreamsBuilder, watermarks, windows } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/index.ts'

interface Reading {
  readonly sensor: string
  readonly at: Date
  readonly value: number
}

describe("the test driver with sources and sinks of the user's own", () => {
  const build = () => {
    const builder = new StreamsBuilder()
    const readings = builder.source<string, Reading, number>(
      'readings',
      {
        read() {
          throw new Error('the driver reads nothing')
        },
      },
      {
        keyOf: (r) => r.sensor,
        timestamp: (r) => r.at.getTime(),
        watermark: watermarks.boundedOutOfOrderness(10),
      },
    )
    const never = {
      write() {
        throw new Error('the driver writes nothing')
      },
    }
    readings.sink(never, { name: 'all' })
    readings
      .groupByKey()
      .windowedBy(windows.tumbling(100).noGrace())
      .emit('close')
      .count()
      .toStream()
      .sink(never, { name: 'counts', value: serdes.json() })
    return builder.build()
  }

  it('brings records in by the name of the source, and shows what goes to sinks by theirs', () => {
    const driver = new TopologyTestDriver(build())
    const input = driver.input<string, Reading>('readings')
    for (const at of [5, 40, 120]) input.send({ sensor: 's1', at: new Date(at), value: 1 })
    assert.deepEqual(driver.output('all').read(), {
      key: 's1',
      value: { sensor: 's1', at: new Date(5), value: 1 },
      timestamp: 5,
      headers: {},
    })
    assert.deepEqual(
      driver
        .output('counts')
        .readAll()
        .map(({ key, value }) => [key.key, key.window.start, value]),
      [['s1', 0, 2]],
    )
    input.end()
    assert.deepEqual(driver.output('counts').readAll().length, 1)
    assert.throws(() => driver.input('nothing'), /its sources read: readings/)
  })

  it('goes back to its checkpoint', () => {
    const driver = new TopologyTestDriver(build(), { partitions: 2 })
    const input = driver.input<string, Reading>('readings')
    input.send({ sensor: 's1', at: new Date(5), value: 1 })
    driver.checkpoint()
    input.send({ sensor: 's1', at: new Date(6), value: 1 })
    driver.crash()
    input.send({ sensor: 's1', at: new Date(7), value: 1 })
    driver.end()
    assert.deepEqual(
      driver
        .output('all')
        .readAll()
        .map(({ timestamp }) => timestamp),
      [5, 7],
    )
    assert.deepEqual(
      driver
        .output('counts')
        .readAll()
        .map(({ value }) => value),
      [2],
    )
  })

  it('are shown by the topology', () => {
    const topology = build()
    assert.match(topology.describe(), /Source: readings \(connector: own\)\n {6}--> all, /)
    assert.match(topology.describe(), /Sink: counts \(connector: own\)/)
    assert.match(topology.toMermaid(), /\["?readings: own"?\]/)
    const { nodes } = topology.toJSON() as { nodes: { name: string; own?: object }[] }
    assert.deepEqual(nodes.find(({ name }) => name === 'readings')?.own, {
      connector: 'own',
      partitions: 1,
      byKey: true,
      retry: { attempts: 10, backoff: 100, maxBackoff: 10_000, jitter: true },
    })
    assert.equal(build().hash, topology.hash)
  })
})
