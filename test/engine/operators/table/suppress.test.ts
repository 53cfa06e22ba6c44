import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  type KTable,
  serdes,
  type StreamsBuilder,
  untilTimeLimit,
  untilWindowCloses,
  type Windowed,
  type Windows,
  windows,
} from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { numbers, plays, type Result, run, runAll, type Sent, sentIn, topologyOf, Watermark } from '../topologies.ts'

type Timed = Windows<'tumbling' | 'hopping' | 'sliding' | 'session' | 'cumulative', number, string>
const key = serdes.string()
const value = serdes.number()

/** The rows that wait, in a list that is searched. */
function held(sent: readonly Sent[], limit: number, maxRecords: number): Result[] {
  const results: Result[] = []
  const time = new Watermark()
  let rows: (Result & { since: number })[] = []
  const release = (which: (row: { since: number }) => boolean) => {
    for (const { key, value, ts } of rows.filter(which)) results.push({ key, value, ts })
    rows = rows.filter((row) => !which(row))
  }
  for (const { key, value, ts } of sent) {
    const old = rows.find((row) => row.key === key)
    const since = old?.since ?? ts
    if (old !== undefined) rows[rows.indexOf(old)] = { key, value, ts, since }
    else if (since + limit - 1 <= time.w) results.push({ key, value, ts })
    else rows.push({ key, value, ts, since })
    rows.sort((a, b) => a.since - b.since || ((a.key as string) < (b.key as string) ? -1 : 1))
    while (rows.length > maxRecords) release((row) => row === rows[0])
    time.pass(ts)
    release((row) => row.since + limit - 1 <= time.w)
  }
  release(() => true)
  return results
}

interface Answers {
  to(topic: 'out', opts: object): void
}

describe('suppress', () => {
  it('holds a row back for a time after its first change, as a list of rows does', () => {
    fc.assert(
      fc.property(
        plays({ tombstones: 2 }),
        fc.constantFrom(1, 5, 30),
        fc.constantFrom(1, 2, 100),
        (play, limit, maxRecords) => {
          const topology = topologyOf((builder) =>
            builder
              .table('in0', { key, value })
              .suppress(untilTimeLimit(limit, { maxRecords }))
              .toStream()
              .to('out', { key, value }),
          )
          assert.deepEqual(run(topology, play), held(sentIn(play.events), limit, maxRecords))
        },
      ),
      { numRuns: 80 },
    )
  })

  const kinds: Record<string, () => Timed> = {
    tumbling: () => windows.tumbling(10).grace(7),
    hopping: () => windows.hopping(10, { advance: 4 }).grace(7),
    cumulative: () => windows.cumulative(12, { step: 4 }).grace(7),
    sliding: () => windows.sliding(9).grace(7),
    session: () => windows.session(5).grace(7),
    'session by record': () => windows.session<number, string>((n) => 1 + (n % 7)).grace(7),
  }
  for (const [kind, make] of Object.entries(kinds)) {
    it(`gives the final rows that ${kind} windows give when they close, kept and through other steps`, () => {
      const final = (how: (table: KTable<Windowed<string>, number, null>) => KTable<Windowed<string>, number, null>) =>
        topologyOf((builder) =>
          how(
            builder
              .stream('in0', numbers)
              .groupBy((n, k) => (n % 2 === 0 ? k : 'odd'), { key, value })
              .windowedBy(make())
              .reduce((a, b) => a + b, { associative: true }),
          )
            .toStream()
            .to('out', { key: serdes.windowed(key), value }),
        )
      const closed = topologyOf((builder) =>
        builder
          .stream('in0', numbers)
          .groupBy((n, k) => (n % 2 === 0 ? k : 'odd'), { key, value })
          .windowedBy(make())
          .emit('close')
          .reduce((a, b) => a + b, { associative: true })
          .toStream()
          .to('out', { key: serdes.windowed(key), value }),
      )
      const plain = final((table) => table.suppress(untilWindowCloses()))
      const kept = final((table) =>
        table
          .mapValues((n) => n + 1)
          .suppress(untilWindowCloses({ maxRecords: 1000 }), { store: 'final' })
          .mapValues((n) => n - 1),
      )
      fc.assert(
        fc.property(plays(), (play) => {
          const expected = run(closed, play)
          assert.deepEqual(run(plain, play), expected)
          assert.deepEqual(run(kept, play), expected)
        }),
        { numRuns: 20 },
      )
    })
  }

  it('names windows after a restore by the same bytes as before', () => {
    const topology = topologyOf((builder) =>
      builder
        .stream('in0', numbers)
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .count()
        .suppress(untilWindowCloses())
        .toStream()
        .to('out', { key: serdes.json<Windowed<string>>(), value: serdes.number() }),
    )
    using before = new TopologyTestDriver(topology)
    before.input('in0').send(1, { key: 'a', timestamp: 3 })
    using after = new TopologyTestDriver(topology, { restore: before.checkpoint() })
    const texts = [before, after].map((driver) => {
      driver.end()
      return driver
        .output('out')
        .readAll()
        .map(({ key }) => JSON.stringify(key))
    })
    const named = ['{"key":"a","window":{"start":0,"end":10}}']
    assert.deepEqual(texts, [named, named])
  })

  it('gives the final rows of windows that were regrouped', () => {
    const counted = (builder: StreamsBuilder) =>
      builder.stream('in0', numbers).groupByKey().windowedBy(windows.tumbling(10).grace(7))
    const out = { key: serdes.windowed(key), value }
    const closed = topologyOf((builder) => counted(builder).emit('close').count().toStream().to('out', out))
    const regrouped = topologyOf((builder) =>
      counted(builder)
        .count()
        .groupBy((n, { window }): [Windowed<string>, number] => [{ key: 'all', window }, n], out)
        .aggregate(() => 0, { add: (all, n) => all + n, subtract: (all, n) => all - n }, { store: 'all' })
        .suppress(untilWindowCloses())
        .toStream()
        .to('out', out),
    )
    fc.assert(
      fc.property(plays(), (play) => {
        const byStart = Map.groupBy(run(closed, play), (row) => (row.key as Windowed<string>).window.start)
        const expected = [...byStart].map(([start, rows]) => [
          start,
          rows.reduce((n, row) => n + (row.value as number), 0),
        ])
        const rows = run(regrouped, play).map((row) => [(row.key as Windowed<string>).window.start, row.value])
        assert.deepEqual(rows, expected)
      }),
      { numRuns: 40 },
    )
  })

  it('waits for the longer grace of two joined tables', () => {
    const topology = topologyOf((builder) => {
      const grouped = builder.stream('in0', numbers).groupByKey()
      const rows = (grace: number, name: string) =>
        grouped
          .windowedBy(windows.tumbling(10).grace(grace))
          .count({ store: name })
          .mapValues((n) => n, { store: { name: `${name}-rows`, retention: 100 } })
      rows(0, 'short')
        .join(rows(10, 'long'), (short, long) => `${short}/${long}`)
        .suppress(untilWindowCloses())
        .toStream()
        .to('out', { key: serdes.windowed(key), value: serdes.json() })
    })
    using driver = new TopologyTestDriver(topology)
    for (const ts of [1, 12, 3, 4]) driver.input('in0').send(ts, { key: 'a', timestamp: ts })
    driver.end()
    const rows = driver.output('out').readAll()
    assert.deepEqual(
      rows.map((row) => row.value),
      ['1/3', '1/1'],
    )
  })

  it('stops the job where a buffer may not let rows go early', () => {
    const topology = topologyOf((builder) =>
      builder
        .table('in0', { key, value })
        .suppress(untilTimeLimit('1m', { maxRecords: 1, whenFull: 'shutDown' }))
        .toStream()
        .to('out', { key, value }),
    )
    const driver = new TopologyTestDriver(topology)
    driver.input('in0').send(1, { key: 'a', timestamp: 1 })
    driver.input('in0').send(2, { key: 'a', timestamp: 2 })
    assert.throws(() => driver.input('in0').send(3, { key: 'b', timestamp: 3 }), { code: 'DHAARA_SUPPRESS_FULL' })
  })

  it('lets the oldest rows go when its bytes are too many', () => {
    const topology = topologyOf((builder) =>
      builder
        .table('in0', { key, value: serdes.string() })
        .suppress(untilTimeLimit('1m', { maxBytes: 700 }))
        .toStream()
        .to('out', { key, value: serdes.string() }),
    )
    const driver = new TopologyTestDriver(topology)
    for (const [i, k] of ['a', 'b', 'c'].entries()) driver.input('in0').send('x'.repeat(100), { key: k, timestamp: i })
    driver.input('in0').send('x'.repeat(400), { key: 'b', timestamp: 3 })
    const keys = driver
      .output('out')
      .readAll()
      .map((row) => row.key)
    assert.deepEqual(keys, ['a', 'b'])
  })

  it('keeps the rows that have come out, for queries', () => {
    const topology = topologyOf((builder) =>
      builder
        .stream('in0', numbers)
        .groupByKey()
        .windowedBy(windows.tumbling(10).noGrace())
        .count()
        .suppress(untilWindowCloses(), { store: 'final' })
        .toStream()
        .to('out', { key: serdes.windowed(key), value }),
    )
    const driver = new TopologyTestDriver(topology)
    for (const ts of [1, 5, 12]) driver.input('in0').send(ts, { key: 'a', timestamp: ts })
    const rows = [...driver.store('final').fetchAll(0, 100)]
    assert.deepEqual(rows, [[{ key: 'a', window: { start: 0, end: 10 } }, 2]])
    assert.equal(driver.store('final').get('a', 0), 2)
  })

  const readers: Readonly<Record<string, (builder: StreamsBuilder, held: KTable<string, number>) => Answers>> = {
    'a table join': (b, held) =>
      b
        .table('in1', { key, value })
        .leftJoin(held, (l, r) => `${l}-${r}`)
        .toStream(),
    'a table join, through other steps': (b, held) =>
      held
        .filter((n) => n % 3 > 0)
        .mapValues((n) => -n)
        .outerJoin(b.table('in1', { key, value }), (l, r) => `${l}-${r}`)
        .toStream(),
    'a stream-table join': (b, held) => b.stream('in1', numbers).leftJoin(held, (l, r) => `${l}-${r}`),
    'a join by a foreign key': (b, held) =>
      b
        .table('in1', { key, value })
        .leftJoin(
          held,
          (n) => 'abc'[n % 3] as string,
          (l, r) => `${l}-${r}`,
        )
        .toStream(),
  }
  for (const [name, read] of Object.entries(readers)) {
    it(`shows ${name} the rows that have come out, kept or not`, () => {
      const made = (opts: object) =>
        topologyOf((builder) => {
          const held = builder.table('in0', { key, value }).suppress(untilTimeLimit(9), opts)
          read(builder, held).to('out', { key, value: serdes.json() })
          held.toStream().to('shown', { key, value })
        })
      const [unkept, kept] = [made({}), made({ store: 'final' })]
      fc.assert(
        fc.property(plays({ topics: 2, tombstones: 2 }), (play) => {
          const topics = ['out', 'shown']
          assert.deepEqual(runAll(unkept, play, topics), runAll(kept, play, topics))
        }),
        { numRuns: 30 },
      )
    })
  }

  it('shows joins the row that has come out, not the one that waits', () => {
    const topology = topologyOf((builder) =>
      builder
        .stream('in1', numbers)
        .leftJoin(builder.table('in0', { key, value }).suppress(untilTimeLimit(10)), (l, r) => `${l}-${r}`)
        .to('out', { key, value: serdes.string() }),
    )
    using driver = new TopologyTestDriver(topology)
    const ask = (ts: number): unknown => {
      driver.input('in1').send(ts, { key: 'a', timestamp: ts })
      return driver.output('out').readAll().at(-1)?.value
    }
    driver.input('in0').send(1, { key: 'a', timestamp: 0 })
    assert.equal(ask(5), '5-null')
    ask(11)
    driver.input('in0').send(2, { key: 'a', timestamp: 11 })
    assert.equal(ask(12), '12-1')
    ask(30)
    assert.equal(ask(31), '31-2')
  })
})
