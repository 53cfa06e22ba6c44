import assert from 'node:assert/strict'
import { AfterMatchSkip, DhaaraError, type MatchOptions, serdes, StreamsBuilder } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { is, type Item, p } from './items.ts'
import { ns, topologyOf, records } from './topologies.ts'

describe('match', () => {
  it('shows matches that have begun, and finds them when the job goes on with other options', () => {
    const pair = p.begin('v').where(is('a')).followedBy('w').where(is('b'))
    const topologyOf = (within: number, opts: MatchOptions<Item, any>, hears: boolean) => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
        .match(pair.within(within, within < 50 ? 'previousToCurrent' : 'firstToLast'), {
          name: 'find',
          store: 'runs',
          ...(opts as object),
        })
        .select(
          (match) => String(ns(match)),
          hears ? { timedOut: (partial, _key, at) => `gone ${ns(partial)} @${at}` } : {},
        )
        .to('out', { key: serdes.string(), value: serdes.string() })
      return builder.build()
    }
    const values = (driver: TopologyTestDriver): string[] => records(driver).map((row) => row.replace(/^\S+ /, ''))
    const send = (driver: TopologyTestDriver, key: string, kind: string, at: number) =>
      driver.input('in').send({ key, kind, n: at, at }, { key })
    const shown = (driver: TopologyTestDriver, key: string): number[] =>
      (driver.store('runs').get(key) as readonly { readonly start: number }[]).map(({ start }) => start)
    const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
    const first = new TopologyTestDriver(topologyOf(100, {}, false))
    for (let at = 0; at < 12; at++) for (const key of ['k', 'k2']) send(first, key, 'a', at)
    send(first, 'other', 'd', 20)
    assert.deepEqual(shown(first, 'k'), numbers(0, 12))
    let restore = first.checkpoint()
    assert.deepEqual(shown(first, 'k'), numbers(0, 12))
    for (let at = 21; at < 24; at++) send(first, 'k', 'a', at)
    send(first, 'other', 'd', 105)
    assert.deepEqual(shown(first, 'k'), [...numbers(5, 12), ...numbers(21, 24)])
    restore = first.checkpoint()

    const again = (within: number, opts: MatchOptions<Item, any>, hears: boolean): string[] => {
      const driver = new TopologyTestDriver(topologyOf(within, opts, hears), { restore })
      assert.equal(driver.store('runs').approximateCount, 2)
      send(driver, 'k', 'b', 107)
      driver.end()
      return values(driver)
    }
    const left = [8, 9, 10, 11, 21, 22, 23]
    assert.deepEqual(
      again(100, {}, false),
      left.map((n) => `${n},107`),
    )
    assert.deepEqual(
      again(100, { maxPartials: 100 }, false),
      left.map((n) => `${n},107`),
    )
    assert.deepEqual(again(100, { skip: AfterMatchSkip.pastLastEvent() }, false), ['8,107'])
    assert.deepEqual(again(40, {}, false), [])
    assert.deepEqual(
      again(100, {}, true).filter((row) => !row.startsWith('gone')),
      left.map((n) => `${n},107`),
    )
  })

  it('finds patterns of more states than bits', () => {
    const many = p.begin('v').where(is('a')).followedBy('w').where(is('b')).times(40).within(1000)
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
      .match(many, { name: 'find', store: 'runs' })
      .select((match) => `${match.v.length} ${match.w.length}`)
      .to('out', { key: serdes.string(), value: serdes.string() })
    const topology = builder.build()
    let driver = new TopologyTestDriver(topology, { cacheBytes: 0 })
    const send = (kind: string, at: number) => driver.input('in').send({ key: 'k', kind, n: at, at }, { key: 'k' })
    for (let at = 0; at < 8; at++) send('a', at)
    for (let at = 10; at < 40; at++) send('b', at)
    driver = new TopologyTestDriver(topology, { cacheBytes: 0, restore: driver.checkpoint() })
    for (let at = 40; at < 50; at++) send('b', at)
    driver.end()
    assert.deepEqual(
      records(driver).map((row) => row.slice(row.indexOf(' ') + 1)),
      Array(8).fill('1 40'),
    )
  })

  it('shows live partial matches, and keeps nothing of keys without any', () => {
    const driver = new TopologyTestDriver(topologyOf(0))
    const send = (key: string, kind: string, n: number, at: number) =>
      driver.input('in').send({ key, kind, n, at }, { key })
    send('k', 'a', 1, 1)
    send('k', 'b', 2, 2)
    send('j', 'd', 3, 3)
    const live = driver.store('runs').get('k')
    assert.deepEqual(
      live.map(({ pattern: tag, start, events }: any) => `${tag} ${start} ${ns(events)}`),
      ['loop 1 1,2', 'absent 1 1'],
    )
    assert.equal(driver.store('runs').get('j'), undefined)
    assert.equal(driver.store('runs').approximateCount, 1)
    driver.checkpoint()
    send('j', 'd', 4, 30)
    const rows = driver.checkpoint()
    const fresh = new TopologyTestDriver(topologyOf(0), { restore: rows })
    assert.equal(fresh.store('runs').approximateCount, 0)
  })

  it('tells keys apart whose bytes begin with each other', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.json<number>(), value: serdes.json<Item>(), timestamp: (item) => item.at })
      .match((q) => q.begin('x').where(is('a')).followedBy('y').where(is('b')).within(100), { store: 'runs' })
      .select((match) => ns(match))
      .to('out', { key: serdes.json<number>(), value: serdes.json<number[]>() })
    const open = { strict: false, cacheBytes: 0 }
    const first = new TopologyTestDriver(builder.build(), open)
    for (const [n, key] of [1, 12, 120, 1200].entries())
      for (let i = 0; i < 6; i++) first.input('in').send({ key: '', kind: 'a', n: 10 * n + i, at: n }, { key })
    const driver = new TopologyTestDriver(builder.build(), { ...open, restore: first.checkpoint() })
    for (const key of [1, 12, 120, 1200]) driver.input('in').send({ key: '', kind: 'b', n: 99, at: 9 }, { key })
    driver.end()
    const found = driver.output('out').readAll()
    assert.deepEqual(
      [1, 12, 120, 1200].map((key) => found.filter((row) => row.key === key).length),
      [6, 6, 6, 6],
    )
  })

  it('counts partial matches of keys that are not in memory, whose windows end unheard', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
      .match((q) => q.begin('x').where(is('a')).followedBy('y').where(is('b')).within(100), {
        store: 'runs',
        name: 'find',
      })
      .select((match) => ns(match))
      .to('out', { key: serdes.string(), value: serdes.json<number[]>() })
    const driver = new TopologyTestDriver(builder.build(), { strict: false, cacheBytes: 0 })
    const live: number[] = []
    for (let at = 0; at <= 200; at += 10) {
      driver.input('in').send({ key: 'k', kind: at < 100 ? 'a' : 'd', n: at, at }, { key: 'k' })
      driver.checkpoint()
      live.push(driver.store('runs').livePartials)
    }
    // an event waits for the next one, which moves the watermark to 1 ms before itself
    assert.deepEqual(live, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
  })

  for (const begins of [1, 9])
    it(`keeps nothing of matches that are over, however long their windows, ${begins} a key`, () => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
        .match((q) => q.begin('x').where(is('a')).followedBy('y').where(is('b')).within('365d'), { store: 'runs' })
        .select(() => 1)
        .to('out', { key: serdes.string(), value: serdes.json<number>() })
      const driver = new TopologyTestDriver(builder.build(), { strict: false, batchSize: 1000 })
      let rows = 0
      for (let round = 0; round < 6; round++) {
        const items = Array.from({ length: 5000 }, (_, i) => {
          const n = round * 5000 + i
          return {
            value: { key: '', kind: n % (begins + 1) < begins ? 'a' : 'b', n, at: n },
            key: `k${Math.floor(n / (begins + 1))}`,
          }
        })
        driver.input('in').sendAll(items)
        rows += driver.output('out').readAll().length
        driver.checkpoint()
      }
      driver.end()
      const restore = driver.checkpoint()
      const { keys } = (driver.store('runs') as unknown as { match: { keys: { size: number; alarmCount: number } } })
        .match
      assert.equal(rows + driver.output('out').readAll().length, (30_000 * begins) / (begins + 1))
      assert.equal(keys.size, 0)
      assert.ok(keys.alarmCount < 2000)
      const empty = new TopologyTestDriver(builder.build(), { restore })
      assert.equal(empty.store('runs').approximateCount, 0)
    })

  it('fails, or drops the oldest or the newest, when a key has too many partial matches', () => {
    const run = (whenFull: 'fail' | 'dropOldest' | 'dropNewest') => {
      const driver = new TopologyTestDriver(topologyOf(0, { maxPartials: 2, whenFull }))
      const send = (kind: string, n: number) => driver.input('in').send({ key: 'k', kind, n, at: n }, { key: 'k' })
      for (let n = 1; n < 5; n++) send('a', n)
      send('d', 5)
      return driver
        .store('runs')
        .get('k')
        .filter((one: any) => one.pattern === 'absent')
        .map((one: any) => ns(one.events)[0])
    }
    assert.deepEqual(run('dropOldest'), [3, 4])
    assert.deepEqual(run('dropNewest'), [1, 2])
    assert.throws(
      () => run('fail'),
      (e) => e instanceof DhaaraError && e.code === 'DHAARA_PATTERN_FULL' && e.step === 'find',
    )
  })

  it('refuses the state of another pattern', () => {
    const driver = new TopologyTestDriver(topologyOf(0))
    driver.input('in').send({ key: 'k', kind: 'a', n: 1, at: 1 }, { key: 'k' })
    driver.input('in').send({ key: 'k', kind: 'd', n: 1, at: 2 }, { key: 'k' })
    const restore = driver.checkpoint()
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
      .match((q) => q.begin('x').next('y'), { name: 'find', store: 'runs' })
      .select((match) => match.x[0].n)
      .to('out', { key: serdes.string(), value: serdes.json<number>() })
    const other = builder.build()
    assert.throws(
      () => new TopologyTestDriver(other, { restore }),
      (e) => e instanceof DhaaraError && e.code === 'DHAARA_STATE_INCOMPATIBLE',
    )
  })
})
