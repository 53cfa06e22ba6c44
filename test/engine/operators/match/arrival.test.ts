import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type MatchOptions, PatternMatcher, serdes, StreamsBuilder } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { is, type Item, p } from './items.ts'
import { late, loop, ns, topologyOf, records, expected, arrivals, drawn } from './topologies.ts'

describe('match', () => {
  it('waits for W, and takes events by time', () => {
    const driver = new TopologyTestDriver(topologyOf(5))
    const send = (kind: string, n: number, at: number) =>
      driver.input('in').send({ key: 'k', kind, n, at }, { key: 'k' })
    send('c', 3, 4)
    send('b', 2, 2)
    send('a', 1, 1)
    assert.deepEqual(records(driver), [])
    assert.equal(driver.store('runs').waiting, 3)
    send('d', 4, 10)
    assert.deepEqual(records(driver), ['k@4 loop k 1,2,3 1..4'])
    send('a', 5, 4)
    assert.deepEqual(late(driver), [5])
  })

  it('tells absence when its time is over, with no later event of the key', () => {
    const driver = new TopologyTestDriver(topologyOf(0))
    driver.input('in').send({ key: 'k', kind: 'a', n: 1, at: 1 }, { key: 'k' })
    driver.input('in').send({ key: 'other', kind: 'd', n: 2, at: 8 }, { key: 'other' })
    assert.deepEqual(records(driver), [])
    driver.input('in').send({ key: 'other', kind: 'd', n: 3, at: 9 }, { key: 'other' })
    assert.deepEqual(records(driver), ['k@8 absent k 1 1..1'])
  })

  it('orders equal times by orderBy, else by arrival', () => {
    const run = (opts: MatchOptions<Item, any>) => {
      const driver = new TopologyTestDriver(topologyOf(0, opts))
      for (const [n, kind] of ['c', 'b', 'a'].entries())
        driver.input('in').send({ key: 'k', kind, n, at: 5 }, { key: 'k' })
      driver.end()
      return records(driver).filter((row) => row.includes('loop'))
    }
    assert.deepEqual(run({}), ['k@17 gone loop k 2 @17'])
    assert.deepEqual(run({ orderBy: (a, b) => (a.kind < b.kind ? -1 : 1) }), [
      'k@5 loop k 2,1,0 5..5',
      'k@17 gone loop k 2,1 @17',
    ])
  })

  it('gives the same for every arrival within the bound, every batch, and after every restore', () => {
    const options = fc.record({ batchSize: fc.constantFrom(1, 3, 100), cacheBytes: fc.constantFrom(0, 1e9) })
    fc.assert(
      fc.property(arrivals, options, (given, { batchSize, cacheBytes }) => {
        const { items, arrival } = drawn(given)
        const topology = topologyOf(40)
        let driver = new TopologyTestDriver(topology, { batchSize, cacheBytes })
        const out: string[] = []
        let since: Item[] = []
        const send = (some: readonly Item[]) =>
          driver.input('in').sendAll(some.map((value) => ({ value, key: value.key })))
        for (const [i, item] of arrival.entries()) {
          since.push(item)
          send([item])
          const what = given[i]?.what
          if (what === 'crash') {
            driver.crash()
            send(since)
          } else if (what === 'checkpoint' || what === 'restore') {
            const restore = driver.checkpoint()
            since = []
            if (what === 'restore') {
              out.push(...records(driver))
              driver = new TopologyTestDriver(topology, { batchSize, cacheBytes, restore })
            }
          }
        }
        driver.end()
        out.push(...records(driver))
        assert.deepEqual(
          out.map((row) => row.replace(/^\S+ /, '').replace(/ \d+\.\.\d+$/, '')).toSorted(),
          expected(items),
        )
        assert.deepEqual([...driver.store('runs').all()], [])
      }),
      { numRuns: 300 },
    )
  })

  it('gives the same with most of many partial matches out of memory', () => {
    const event = fc.record({ key: fc.constantFrom('k1', 'k2'), kind: fc.constantFrom(...'aaaaaaaabcd'), n: fc.nat(3) })
    const equal = p
      .begin('x')
      .where(is('a'))
      .followedBy('y')
      .where((item, ctx) => item.kind === 'd' && item.n % 4 === (ctx.last('x')?.n ?? 0) % 4)
      .within(150)
    const pair = p.begin('v').where(is('a')).followedBy('w').where(is('b')).within(90)
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
      .match({ pair, equal, loop }, { name: 'find', store: 'runs' })
      .select((tagged, key) => `${tagged.pattern} ${key} ${ns(tagged.match)}`, {
        timedOut: (tagged, key, at) => `gone ${tagged.pattern} ${key} ${ns(tagged.match)} @${at}`,
      })
      .to('out', { key: serdes.string(), value: serdes.string() })
    const topology = builder.build()
    const run = (items: readonly Item[], cacheBytes: number, every: number) => {
      let driver = new TopologyTestDriver(topology, { cacheBytes, strict: false })
      const out: string[] = []
      for (const [i, item] of items.entries()) {
        driver.input('in').send(item, { key: item.key })
        if (i % every !== 0) continue
        const restore = driver.checkpoint()
        if (i % (every * 4) !== 0) continue
        out.push(...records(driver))
        driver = new TopologyTestDriver(topology, { cacheBytes, strict: false, restore })
      }
      assert.equal(driver.store('runs').approximateCount, new Set(items.map(({ key }) => key)).size)
      driver.end()
      return [...out, ...records(driver)]
    }
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 60, maxLength: 160 }),
        fc.integer({ min: 1, max: 9 }),
        (drawn, every) => {
          // the last ones leave something open for each key
          const last = ['k1', 'k2'].map((key) => ({ key, kind: 'a', n: 0 }))
          const items = [...drawn, ...last].map((one, i) => ({ ...one, n: one.n + 4 * i, at: i }))
          assert.deepEqual(run(items, 0, every), run(items, 1e9, 1e9))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('gives the same where most matches only begin, whether their rows were written or not', () => {
    const event = fc.record({
      key: fc.constantFrom('k1', 'k2'),
      kind: fc.constantFrom(...'aaaaaaaaaaaaaaaad'),
      n: fc.nat(3),
    })
    const equal = p
      .begin('x')
      .where(is('a'))
      .followedBy('y')
      .where((item, ctx) => item.kind === 'd' && item.n % 4 === (ctx.last('x')?.n ?? 0) % 4)
    const topologyOf = (within: number | null, hears: boolean) => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
        .match(within === null ? equal : equal.within(within), { name: 'find', store: 'runs' })
        .select(
          (match, key) => `${key} ${ns(match)}`,
          hears ? { timedOut: (partial, key, at) => `gone ${key} ${ns(partial)} @${at}` } : {},
        )
        .to('out', { key: serdes.string(), value: serdes.string() })
      return builder.build()
    }
    const shape = fc.record({
      within: fc.constantFrom(null, 40, 90),
      hears: fc.boolean(),
      cacheBytes: fc.constantFrom(0, 1e9),
      every: fc.integer({ min: 1, max: 60 }),
      what: fc.constantFrom('checkpoint', 'restore', 'crash', 'look'),
    })
    fc.assert(
      fc.property(fc.array(event, { minLength: 60, maxLength: 200 }), shape, (drawn, draw) => {
        const { within, hears, cacheBytes, every, what } = draw
        const topology = topologyOf(within, hears)
        const items = drawn.map((one, i) => ({ ...one, n: one.n + 4 * i, at: i }))
        let driver = new TopologyTestDriver(topology, { cacheBytes, strict: false })
        const out: string[] = []
        let since: Item[] = []
        const send = (some: readonly Item[]) =>
          driver.input('in').sendAll(some.map((value) => ({ value, key: value.key })))
        for (const [i, item] of items.entries()) {
          since.push(item)
          send([item])
          if (i % every !== every - 1) continue
          if (what === 'look') driver.store('runs').get(item.key)
          else if (what === 'crash' && i % (2 * every) === every - 1) {
            driver.crash()
            send(since)
          } else {
            const restore = driver.checkpoint()
            since = []
            if (what !== 'restore') continue
            out.push(...records(driver))
            driver = new TopologyTestDriver(topology, { cacheBytes, strict: false, restore })
          }
        }
        const matchers = ['k1', 'k2'].map(
          (key) =>
            [
              key,
              new PatternMatcher<Item, any>(within === null ? equal : equal.within(within), { timeouts: hears }),
            ] as const,
        )
        const wanted: string[] = []
        const take = (key: string, result: ReturnType<PatternMatcher<Item, any>['advanceTime']>) => {
          for (const match of result.matches) wanted.push(`${key} ${ns(match)}`)
          for (const { partial, at } of result.timedOut) wanted.push(`gone ${key} ${ns(partial)} @${at}`)
        }
        for (const [key, matcher] of matchers)
          for (const item of items) {
            if (item.key === key) take(key, matcher.process(item, item.at))
            else take(key, matcher.advanceTime(item.at))
          }
        // events of the last time wait for the watermark
        driver.end()
        out.push(...records(driver))
        for (const [key, matcher] of matchers) take(key, matcher.advanceTime(Number.POSITIVE_INFINITY))
        assert.deepEqual(out.map((row) => row.replace(/^\S+ /, '')).toSorted(), wanted.toSorted())
        if (within !== null) assert.deepEqual([...driver.store('runs').all()], [])
      }),
      { numRuns: 100 },
    )
  })

  it('keeps what a key begins anew in the epoch in which all of it ended', () => {
    const pair = p.begin('v').where(is('a')).followedBy('w').where(is('b')).within(100)
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
      .match(pair, { name: 'find', store: 'runs' })
      .select((match) => String(ns(match)))
      .to('out', { key: serdes.string(), value: serdes.string() })
    const topology = builder.build()
    let driver = new TopologyTestDriver(topology, { cacheBytes: 0 })
    const begin = (from: number) => {
      for (let at = from; at < from + 12; at++)
        driver.input('in').send({ key: 'k', kind: 'a', n: at, at }, { key: 'k' })
    }
    begin(0)
    driver.checkpoint()
    driver.input('in').send({ key: 'other', kind: 'd', n: 0, at: 900 }, { key: 'other' })
    begin(1000)
    driver.input('in').send({ key: 'other', kind: 'd', n: 0, at: 1050 }, { key: 'other' })
    driver = new TopologyTestDriver(topology, { cacheBytes: 0, restore: driver.checkpoint() })
    driver.input('in').send({ key: 'k', kind: 'b', n: 1, at: 1060 }, { key: 'k' })
    driver.end()
    assert.equal(driver.output('out').readAll().length, 12)
    assert.deepEqual([...driver.store('runs').all()], [])
  })

  it('gives rows in one order, whatever the arrival and the batches', () => {
    fc.assert(
      fc.property(arrivals, fc.constantFrom(1, 7), (given, batchSize) => {
        const { items, arrival } = drawn(given)
        const run = (some: readonly Item[], size: number) => {
          const driver = new TopologyTestDriver(topologyOf(40), { batchSize: size })
          driver.input('in').sendAll(some.map((value) => ({ value, key: value.key })))
          driver.end()
          return records(driver)
        }
        assert.deepEqual(run(arrival, batchSize), run(items, 1))
      }),
      { numRuns: 100 },
    )
  })
})
