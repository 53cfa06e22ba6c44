import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  AfterMatchSkip,
  DhaaraError,
  type MatchOptions,
  PatternMatcher,
  serdes,
  StreamsBuilder,
  watermarks,
} from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { is, type Item, p } from './items.ts'

const loop = p
  .begin('l')
  .where(is('a'))
  .followedBy('m')
  .where((item, ctx) => item.kind === 'b' && ctx.count('m') < 3)
  .oneOrMore()
  .followedBy('o')
  .where(is('c'))
  .within(12)
const absent = p.begin('x').where(is('a')).notFollowedBy('not').where(is('c')).within(7)
const ns = (events: object): number[] => Object.values(events).flatMap((list: Item[]) => list.map(({ n }) => n))

function topologyOf(bound: number, opts: MatchOptions<Item, any> = {}) {
  const builder = new StreamsBuilder()
  builder
    .stream('in', {
      key: serdes.string(),
      value: serdes.json<Item>(),
      timestamp: (item) => item.at,
      watermark: watermarks.boundedOutOfOrderness(bound),
    })
    .match({ loop, absent }, { name: 'find', store: 'runs', ...opts })
    .late('late', { key: serdes.string(), value: serdes.json<Item>() })
    .select((tagged, key, { start, end }) => `${tagged.pattern} ${key} ${ns(tagged.match)} ${start}..${end}`, {
      timedOut: (tagged, key, at) => `gone ${tagged.pattern} ${key} ${ns(tagged.match)} @${at}`,
    })
    .to('out', { key: serdes.string(), value: serdes.string() })
  return builder.build()
}

const records = (driver: TopologyTestDriver): string[] =>
  driver
    .output('out')
    .readAll()
    .map(({ key, value, timestamp }) => `${key}@${timestamp} ${value}`)

/** What each pattern gives for each key, found by a bare matcher of its own. */
function expected(items: readonly Item[]): string[] {
  const out: string[] = []
  for (const [name, one] of Object.entries({ loop, absent })) {
    for (const key of new Set(items.map((item) => item.key))) {
      const matcher = new PatternMatcher<Item, any>(one, { timeouts: true })
      const take = ({ matches, timedOut }: ReturnType<typeof matcher.advanceTime>) => {
        for (const match of matches) out.push(`${name} ${key} ${ns(match)}`)
        for (const { partial, at } of timedOut) out.push(`gone ${name} ${key} ${ns(partial)} @${at}`)
      }
      for (const item of items.filter((other) => other.key === key)) take(matcher.process(item, item.at))
      take(matcher.advanceTime(Number.POSITIVE_INFINITY))
    }
  }
  return out.toSorted()
}

const arrivals = fc.array(
  fc.record({
    key: fc.constantFrom('k1', 'k2', 'k3'),
    kind: fc.constantFrom(...'aabbbccd'),
    pause: fc.nat(3),
    delay: fc.nat(9),
    what: fc.constantFrom('go', 'go', 'go', 'checkpoint', 'restore', 'crash'),
  }),
  { maxLength: 40 },
)
type Arrivals = typeof arrivals extends fc.Arbitrary<infer A> ? A : never

/** In order of time, each at a time of its own, and in an order of arrival that stays within a bound of 40. */
function drawn(given: Arrivals) {
  let at = 0
  const items = given.map(({ key, kind, pause }, n) => {
    at += 1 + pause
    return { key, kind, n, at }
  })
  const arrival = items.toSorted(
    (a, b) => a.at + (given[a.n]?.delay ?? 0) * 4 - (b.at + (given[b.n]?.delay ?? 0) * 4) || a.n - b.n,
  )
  return { items, arrival }
}

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
    assert.deepEqual(
      driver
        .output('late')
        .readAll()
        .map(({ value }) => value.n),
      [5],
    )
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

  it('follows a change of key, and decides what is late by the watermark of the source', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', {
        value: serdes.json<Item>(),
        timestamp: (item) => item.at,
        watermark: watermarks.boundedOutOfOrderness(2),
      })
      .groupBy((item) => item.key)
      .match((q) => q.begin('x').where(is('a')).followedBy('y').where(is('b')))
      .late('late', { key: serdes.string(), value: serdes.json<Item>() })
      .select(({ x, y }, key) => `${key} ${x[0].n},${y[0].n}`)
      .to('out', { key: serdes.string(), value: serdes.string() })
    const driver = new TopologyTestDriver(builder.build(), { batchSize: 100 })
    const items = ['a1', 'a2', 'b1', 'd1', 'b2', 'a1'].map((text, n) => ({
      value: { kind: text[0] as string, key: `k${text[1]}`, n, at: n === 5 ? 1 : 10 + n },
    }))
    driver.input('in').sendAll(items)
    driver.end()
    assert.deepEqual(records(driver).toSorted(), ['k1@12 k1 0,2', 'k2@14 k2 1,4'])
    assert.deepEqual(
      driver
        .output('late')
        .readAll()
        .map(({ value }) => value.n),
      [5],
    )
  })

  it('names the step whose condition threw', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
      .match((q) => q.begin('x').where((item) => (item.kind === 'd' ? assert.fail('no d') : true)), { name: 'find' })
      .select((match) => (match.x[0].kind === 'c' ? assert.fail('no c') : match.x[0].kind))
      .to('out', { key: serdes.string(), value: serdes.string() })
    const driver = new TopologyTestDriver(builder.build())
    const send = (kind: string, at: number) => driver.input('in').send({ key: 'k', kind, n: at, at }, { key: 'k' })
    send('a', 1)
    send('d', 2)
    assert.throws(
      () => send('b', 3),
      (e) => e instanceof DhaaraError && e.step === 'find',
    )
  })

  it('names who changes an event or a match', () => {
    const run = (change: 'condition' | 'select') => {
      const builder = new StreamsBuilder()
      const write = (item: { n: number }) => {
        item.n = 0
        return true
      }
      builder
        .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
        .match((q) => q.begin('x').where((item) => change !== 'condition' || write(item)), { name: 'find' })
        .select(({ x }) => change === 'select' && write(x[0]))
        .to('out', { key: serdes.string(), value: serdes.json() })
      const driver = new TopologyTestDriver(builder.build())
      driver.input('in').send({ key: 'k', kind: 'a', n: 1, at: 1 }, { key: 'k' })
      driver.end()
    }
    const names = (text: string) => (e: unknown) =>
      e instanceof DhaaraError && e.code === 'DHAARA_MUTATION' && e.message.includes(text)
    assert.throws(() => run('condition'), names('(condition)'))
    assert.throws(() => run('select'), names("step 'find' (({ x }) =>"))
  })

  it('goes by the clock in processing time', () => {
    const driver = new TopologyTestDriver(topologyOf(0, { time: 'processing' }), { startTime: 100 })
    const send = (kind: string, n: number) => driver.input('in').send({ key: 'k', kind, n, at: 1000 - n }, { key: 'k' })
    send('a', 1)
    driver.advanceWallClock(6)
    send('b', 2)
    send('c', 3)
    assert.deepEqual(records(driver), ['k@106 loop k 1,2,3 100..106'])
    send('a', 4)
    const restore = driver.checkpoint()
    driver.advanceWallClock(7)
    assert.deepEqual(records(driver), ['k@112 gone loop k 1,2 @112', 'k@113 absent k 4 106..106'])
    const later = new TopologyTestDriver(topologyOf(0, { time: 'processing' }), { restore })
    later.end()
    const rest = ['k@112 gone loop k 1,2 @112', 'k@113 absent k 4 106..106', 'k@118 gone loop k 4 @118']
    assert.deepEqual(records(later), rest)
  })

  it('holds events of one millisecond of processing time for orderBy', () => {
    const orderBy = (a: Item, b: Item) => a.n - b.n
    const driver = new TopologyTestDriver(topologyOf(0, { time: 'processing', orderBy }), { startTime: 100 })
    const send = (kind: string, n: number) => driver.input('in').send({ key: 'k', kind, n, at: 0 }, { key: 'k' })
    send('c', 3)
    send('b', 2)
    send('a', 1)
    assert.deepEqual(records(driver), [])
    driver.advanceWallClock(1)
    assert.deepEqual(records(driver), ['k@100 loop k 1,2,3 100..100'])
  })

  it('drops and counts records without key or value', () => {
    const driver = new TopologyTestDriver(topologyOf(0))
    driver.input('in').send({ key: 'k', kind: 'a', n: 1, at: 1 }, { key: null })
    driver.end()
    assert.deepEqual(records(driver), [])
  })

  it('skips as it was told', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.json<Item>(), timestamp: (item) => item.at })
      .match((q) => q.begin('x').where(is('a')).followedBy('y').where(is('a')), {
        skip: AfterMatchSkip.pastLastEvent(),
      })
      .flatSelect((match) => [match.x[0].n, match.y[0].n])
      .to('out', { key: serdes.string(), value: serdes.json<number>() })
    const driver = new TopologyTestDriver(builder.build())
    for (let at = 1; at <= 4; at++) driver.input('in').send({ key: 'k', kind: 'a', n: at, at }, { key: 'k' })
    driver.end()
    assert.deepEqual(
      driver
        .output('out')
        .readAll()
        .map(({ value }) => value),
      [1, 2, 3, 4],
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
