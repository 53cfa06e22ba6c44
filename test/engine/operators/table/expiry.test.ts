import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { serdes, StreamsBuilder, stores, type Topology, watermarks } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'

const json = { key: serdes.string(), value: serdes.json() }

interface Event {
  readonly n: number
  readonly at: number
}

function input(builder: StreamsBuilder) {
  return builder.stream('events', {
    key: serdes.string(),
    value: serdes.json<Event>(),
    timestamp: ({ at }) => at,
    watermark: watermarks.boundedOutOfOrderness(0),
    nullKeys: 'drop',
  })
}

/** Sums by key that live for 100 ms. */
function sums(ttlClock: 'event' | 'wall' = 'event'): Topology {
  const builder = new StreamsBuilder()
  input(builder)
    .groupByKey()
    .aggregate(
      () => 0,
      (sum, { n }) => sum + n,
      { store: { name: 'sums', ttl: 100, ttlClock } },
    )
    .toStream()
    .to('sums', json)
  return builder.build()
}

const rows = (driver: TopologyTestDriver, topic = 'sums') =>
  driver
    .output(topic)
    .readAll()
    .map(({ key, value, timestamp }) => [key, value, timestamp])

describe('time to live', () => {
  it('deletes a row when nobody has written it for so long, and says so', () => {
    using driver = new TopologyTestDriver(sums())
    const events = driver.input('events')
    const send = (key: string, n: number, at: number) => events.send({ n, at }, { key })
    send('a', 1, 1000)
    send('b', 1, 1050)
    send('a', 2, 1080)
    assert.deepEqual(rows(driver), [
      ['a', 1, 1000],
      ['b', 1, 1050],
      ['a', 3, 1080],
    ])
    send('c', 1, 1149) // W is 1148: b lives on
    assert.deepEqual(rows(driver), [['c', 1, 1149]])
    send('c', 1, 1150)
    assert.deepEqual(rows(driver), [
      ['c', 2, 1150],
      ['b', null, 1149],
    ])
    assert.equal(driver.store('sums').get('b'), undefined)
    send('c', 1, 1300)
    assert.deepEqual(rows(driver), [
      ['c', 3, 1300],
      ['a', null, 1179],
    ])
    send('a', 5, 1301)
    assert.deepEqual(rows(driver), [['a', 5, 1301]])
  })

  it('leaves rows alone when the input ends', () => {
    using driver = new TopologyTestDriver(sums())
    driver.input('events').send({ n: 1, at: 1000 }, { key: 'a' })
    driver.end()
    assert.deepEqual(rows(driver), [['a', 1, 1000]])
  })

  it('goes by the wall clock where the store says so', () => {
    using driver = new TopologyTestDriver(sums('wall'))
    const events = driver.input('events')
    events.send({ n: 1, at: 1000 }, { key: 'a' })
    events.send({ n: 1, at: 5000 }, { key: 'b' })
    driver.advanceWallClock(60)
    events.send({ n: 1, at: 1000 }, { key: 'a' })
    rows(driver)
    driver.advanceWallClock(60)
    assert.deepEqual(
      rows(driver).map(([key, value]) => [key, value]),
      [['b', null]],
    )
    driver.checkpoint()
    driver.crash()
    driver.advanceWallClock(60)
    assert.deepEqual(
      rows(driver).map(([key, value]) => [key, value]),
      [['a', null]],
    )
  })

  it('takes rows of a table out of what is made of it', () => {
    const builder = new StreamsBuilder()
    input(builder)
      .toTable({ store: { name: 'latest', ttl: 100 } })
      .groupBy(({ n }, key) => [n % 2 === 0 ? 'even' : 'odd', key])
      .count()
      .toStream()
      .to('counts', json)
    using driver = new TopologyTestDriver(builder.build())
    const events = driver.input('events')
    events.send({ n: 2, at: 1000 }, { key: 'a' })
    events.send({ n: 4, at: 1050 }, { key: 'b' })
    events.send({ n: 1, at: 1120 }, { key: 'c' })
    const last = new Map(rows(driver, 'counts').map(([key, value]) => [key, value]))
    assert.deepEqual(
      [...last],
      [
        ['even', 1],
        ['odd', 1],
      ],
    )
  })

  it('forgets what processors have put', () => {
    const seen = stores.keyValue('seen', { key: serdes.string(), value: serdes.number(), ttl: 100 })
    const builder = new StreamsBuilder()
    builder.addStateStore(seen)
    input(builder)
      .processValues<number>(
        (ctx) => {
          const store = ctx.store(seen)
          return {
            process({ n }, key) {
              const before = store.get(key) ?? 0
              store.put(key, before + n)
              ctx.forward(before)
            },
          }
        },
        { stores: [seen] },
      )
      .to('before', json)
    using driver = new TopologyTestDriver(builder.build())
    const events = driver.input('events')
    for (const at of [1000, 1060, 1120]) events.send({ n: 1, at }, { key: 'a' })
    events.send({ n: 1, at: 1219 }, { key: 'b' }) // W is 1218: the row lives to 1219
    events.send({ n: 1, at: 1219 }, { key: 'a' })
    events.send({ n: 1, at: 2000 }, { key: 'b' })
    events.send({ n: 1, at: 2001 }, { key: 'a' })
    assert.deepEqual(
      rows(driver, 'before').map(([key, value]) => [key, value]),
      [
        ['a', 0],
        ['a', 1],
        ['a', 2],
        ['b', 0],
        ['a', 3],
        ['b', 1],
        ['a', 0],
      ],
    )
  })

  it('does what a plain model does, whatever the batches, crashes and caches', () => {
    const event = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      n: fc.integer({ min: 1, max: 9 }),
      by: fc.integer({ min: -60, max: 90 }),
    })
    const steps = fc.array(fc.oneof({ weight: 9, arbitrary: event }, fc.constant('crash' as const)), { maxLength: 60 })
    fc.assert(
      fc.property(steps, fc.constantFrom(1, 7, 1000), fc.constantFrom(0, 1 << 20), (all, batchSize, cacheBytes) => {
        using driver = new TopologyTestDriver(sums(), { batchSize, cacheBytes })
        const model = new Map<string, { sum: number; ts: number; until: number }>()
        let [now, w] = [1000, Number.NEGATIVE_INFINITY]
        for (const step of all) {
          if (step === 'crash') {
            driver.checkpoint()
            driver.crash()
            continue
          }
          now = Math.max(0, now + step.by)
          driver.input('events').send({ n: step.n, at: now }, { key: step.key })
          const row = model.get(step.key)
          const ts = Math.max(row?.ts ?? 0, now)
          model.set(step.key, { sum: (row?.sum ?? 0) + step.n, ts, until: Math.max(row?.until ?? 0, ts + 99) })
          w = Math.max(w, now - 1)
          for (const [key, { until }] of model) if (until <= w) model.delete(key)
        }
        const found = driver.output('sums').readAllToMap()
        for (const [key, value] of found) if (value === null) found.delete(key)
        assert.deepEqual(
          new Map([...found].toSorted()),
          new Map([...model].map(([key, { sum }]) => [key, sum] as const).toSorted()),
        )
      }),
      { numRuns: 300 },
    )
  })
})
