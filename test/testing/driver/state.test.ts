import assert from 'node:assert/strict'
import { serdes, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { stores } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { coded, echo, counts, values } from './topologies.ts'

describe('TopologyTestDriver', () => {
  describe('state', () => {
    const shelf = stores.keyValue('shelf', { key: serdes.number(), value: serdes.string() })
    const paths = stores.keyValue('paths', {
      key: serdes.tuple(serdes.string(), serdes.number()),
      value: serdes.string(),
    })

    function shelves(): Topology {
      const builder = new StreamsBuilder()
      builder.addStateStore(shelf)
      builder.addStateStore(paths)
      builder
        .stream('in', { key: serdes.number(), value: serdes.string() })
        .process<number, string>(
          (ctx) => ({
            process(value, key) {
              if (key !== null) ctx.store(shelf).put(key, value)
            },
          }),
          { stores: [shelf, paths] },
        )
        .forEach(() => {})
      return builder.build()
    }

    it('is read and written by handle and by name', () => {
      using driver = new TopologyTestDriver(shelves())
      driver.input('in').send('five', { key: 5 })
      assert.equal(driver.store(shelf).get(5), 'five')
      driver.store(shelf).put(6, 'six')
      assert.equal(driver.store('shelf').get(6), 'six')
      assert.equal(driver.store(shelf).delete(5), 'five')
      assert.equal(driver.store(shelf).has(5), false)
      assert.equal(driver.store(shelf).putIfAbsent(6, 'other'), 'six')
      assert.throws(() => driver.store('shelve'), coded('DHAARA_STORE_UNKNOWN', /'shelve'.*shelf/))
    })

    it('is in the order of its keys, below zero too, whatever is cached', () => {
      for (const cacheBytes of [1, 1 << 20]) {
        using driver = new TopologyTestDriver(shelves(), { cacheBytes })
        for (const key of [3, -1, 0, -20, 1.5, 7]) driver.input('in').send(`v${key}`, { key })
        for (let i = 0; i < 3; i++) driver.checkpoint()
        driver.input('in').send('new', { key: -2 })
        const keys = (rows: Iterable<readonly [number, string]>) => [...rows].map(([key]) => key)
        assert.deepEqual(keys(driver.store(shelf).all()), [-20, -2, -1, 0, 1.5, 3, 7])
        assert.deepEqual(keys(driver.store(shelf).range(-2, 3)), [-2, -1, 0, 1.5, 3])
        assert.deepEqual(keys(driver.store(shelf).range(undefined, 0, { reverse: true, limit: 2 })), [0, -1])
        assert.equal(driver.store(shelf).approximateCount, 7)
      }
    })

    it('finds the first parts of a tuple', () => {
      using driver = new TopologyTestDriver(shelves())
      const store = driver.store(paths)
      for (const [line, stop] of [
        ['a', 2],
        ['b', -1],
        ['b', 5],
        ['ba', 1],
      ] as const)
        store.put([line, stop], `${line}${stop}`)
      assert.deepEqual(
        [...store.prefix(['b'])].map(([, value]) => value),
        ['b-1', 'b5'],
      )
    })

    it('of several partitions is one', () => {
      using driver = new TopologyTestDriver(shelves(), { partitions: 4 })
      for (let key = 0; key < 20; key++) driver.input('in').send(`v${key}`, { key })
      assert.equal(driver.store(shelf).get(13), 'v13')
      assert.equal([...driver.store(shelf).all()].length, 20)
      assert.deepEqual(
        [...driver.store(shelf).range(4, 6)].map(([key]) => key),
        [4, 5, 6],
      )
      assert.equal(driver.store(shelf).delete(13), 'v13')
      assert.equal(driver.store(shelf).has(13), false)
      assert.equal(driver.store(shelf).approximateCount, 19)
    })
  })

  describe('checkpoints', () => {
    it('are where a crash goes back to: what was sent since is to be sent again', () => {
      using driver = new TopologyTestDriver(counts())
      driver.input('in').send('x', { key: 'a', timestamp: 1 })
      driver.checkpoint()
      driver.input('in').send('x', { key: 'a', timestamp: 2 })
      driver.input('in').send('x', { key: 'a', timestamp: 30 })
      driver.crash()
      assert.deepEqual(values(driver), [])
      driver.input('in').send('x', { key: 'a', timestamp: 40 })
      assert.deepEqual(values(driver), ['0:1'])
    })

    it('are not needed: a crash goes back to the beginning', () => {
      using driver = new TopologyTestDriver(counts())
      driver.input('in').send('x', { key: 'a', timestamp: 1 })
      driver.crash()
      driver.end()
      assert.deepEqual(values(driver), [])
    })

    it('keep what was written before and not read', () => {
      using driver = new TopologyTestDriver(echo())
      driver.input('in').send('before')
      driver.checkpoint()
      driver.input('in').send('after')
      driver.crash()
      assert.deepEqual(values(driver), ['before'])
    })

    it('are where other drivers begin, with clock, watermarks, timers and ends', () => {
      const driver = new TopologyTestDriver(counts(), { startTime: 500 })
      driver.input('in').send('x', { key: 'a', timestamp: 25 })
      driver.advanceWallClock(50)
      const restore = driver.checkpoint()
      driver.close()
      using other = new TopologyTestDriver(counts(), { restore })
      other.input('in').send('late', { key: 'a', timestamp: 3 })
      other.input('in').send('now', { key: 'a' })
      assert.deepEqual(values(other, 'late'), ['late'])
      assert.deepEqual(values(other), ['20:1'])
      other.end()
      assert.deepEqual(values(other), ['550:1'])
      using third = new TopologyTestDriver(counts(), { restore: other.checkpoint() })
      third.input('in').send('too late', { timestamp: 9_000, key: 'a' })
      assert.deepEqual(values(third, 'late'), ['too late'])
    })

    it('fit their own topology alone', () => {
      using driver = new TopologyTestDriver(counts())
      driver.input('in').send('x', { key: 'a', timestamp: 1 })
      const restore = driver.checkpoint()
      assert.throws(
        () => new TopologyTestDriver(echo(), { restore }),
        coded('DHAARA_STATE_INCOMPATIBLE', /another topology/),
      )
    })
  })
})
