import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  aggregators,
  approxDistinct,
  avg,
  collect,
  count,
  distinct,
  every,
  first,
  joinWindows,
  type KStream,
  type KTable,
  latest,
  max,
  min,
  quantile,
  serdes,
  type StreamsBuilder,
  sum,
  topK,
  untilTimeLimit,
  untilWindowCloses,
  windows,
} from '../../../src/index.ts'
import { plays, type Result, run, sentIn, topologyOf } from '../operators/topologies.ts'

const numRuns = Number(process.env['RUNS'] ?? 20)
const key = serdes.string()
const json = serdes.json()
const number = serdes.number()

type Source = KStream<string, number>
type Rows = KTable<string, number>
interface Out {
  to(topic: 'out', opts: object): void
}
const plain = (table: { toStream(): unknown }): Out => table.toStream() as Out
const windowed = (table: { toStream(): unknown }): Out => {
  const stream = table.toStream() as Out
  return { to: (topic) => stream.to(topic, { key: serdes.windowed(key), value: json }) }
}
const tableOf = (source: Source): Rows => (source as KStream<string, number | null>).toTable() as unknown as Rows
const tens = (n: number) => `${n % 10}`

/** One input each: with one producing task a record is as late behind a repartition as it was before. */
const steps: Readonly<Record<string, (source: Source) => Out>> = {
  'deduplicate, first': (s) => s.deduplicate(tens, { within: 15 }) as Out,
  'deduplicate, latest': (s) => s.deduplicate(tens, { within: 15, keep: 'latest' }) as Out,
  topN: (s) => plain(s.groupByKey().topN(3, (n) => n % 7)),
  'topN of windows': (s) =>
    windowed(
      s
        .groupByKey()
        .windowedBy(windows.hopping(20, { advance: 10 }).grace(5))
        .emit('close')
        .topN(3, (n) => n % 7),
    ),
  'topN of a table': (s) =>
    plain(
      tableOf(s)
        .groupBy((n) => [tens(n), n], { key, value: number })
        .topN(2, (n) => n),
    ),
  aggregators: (s) =>
    plain(
      s.groupByKey().aggregate(
        aggregators({
          n: count(),
          total: sum((n: number) => n),
          mean: avg((n: number) => n),
          least: min((n: number) => n % 9),
          most: max((n: number) => n % 9),
          begin: first((n: number) => n),
          end: latest((n: number) => n),
          all: collect((n: number) => n),
          kinds: distinct(tens),
          about: approxDistinct(tens),
          top: topK(tens, 2),
          half: quantile((n: number) => n, 0.5),
        }),
      ),
    ),
  'an aggregate with a past': (s) =>
    plain(s.groupByKey().reduce((a, n) => a + n, { store: { kind: 'versioned', history: '1m', name: 'past' } })),
  'rows that expire': (s) => plain(s.groupByKey().count({ store: { name: 'brief', ttl: 20 } })),
  'count windows': (s) => windowed(s.groupByKey().windowedBy(windows.count(3)).count()),
  'unlimited windows': (s) => windowed(s.groupByKey().windowedBy(windows.unlimited()).emit(every(9)).count()),
  'suppress, until windows close': (s) =>
    windowed(s.groupByKey().windowedBy(windows.sliding(9).grace(4)).count().suppress(untilWindowCloses())),
  'suppress, by time and records': (s) => plain(tableOf(s).suppress(untilTimeLimit(12, { maxRecords: 2 }))),
  'suppress, by bytes': (s) => plain(tableOf(s).suppress(untilTimeLimit(30, { maxBytes: 250 }))),
  'filter and mapValues of a table': (s) =>
    plain(
      tableOf(s)
        .filter((n) => n % 3 > 0)
        .mapValues((n) => n * 2)
        .filterNot((n) => n % 5 === 0),
    ),
  'transformValues of a table': (s) =>
    plain(tableOf(s).transformValues(() => ({ transform: (n, k) => (n % 4 === 0 ? null : `${k}${n}`) }))),
  'groupBy of a table': (s) =>
    plain(
      tableOf(s)
        .groupBy((n) => [tens(n), n], { key, value: number })
        .aggregate(aggregators({ n: count(), total: sum((n: number) => n) })),
    ),
  'a table with itself': (s) => {
    const table = tableOf(s)
    return plain(table.outerJoin(table.filter((n) => n % 2 === 0) as Rows, (l, r) => `${l}-${r}`))
  },
  'a stream with itself': (s) => s.leftJoin(s, (l, r) => `${l}-${r}`, joinWindows.of(6).before(2).grace(4)) as Out,
  patterns: (s) =>
    s
      .groupByKey()
      .match((p) =>
        p
          .begin('odd')
          .where((n) => n % 2 === 1)
          .followedBy('even')
          .where((n) => n % 2 === 0)
          .within(20),
      )
      .select(({ odd, even }) => `${odd[0]} ${even[0]}`) as Out,
}

const asks = (name: string) => /table|suppress, by/.test(name)

describe('steps behind a repartition', () => {
  for (const [name, step] of Object.entries(steps)) {
    it(`${name}: the same results as without, with any batches, through crashes and restores`, () => {
      const made = (moved: boolean) =>
        topologyOf((builder) => {
          const opts = { key, value: number, nullKeys: 'drop', tombstones: asks(name) ? 'keep' : 'drop' } as const
          const source = builder.stream('in0', opts as never) as unknown as Source
          const stream = moved ? source.selectKey((_, k) => k, { key, value: number }) : source
          step(stream).to('out', { key, value: json })
        })
      const [still, moved] = [made(false), made(true)]
      fc.assert(
        fc.property(plays({ tombstones: 2 }), (play) => {
          const calm = { events: sentIn(play.events), batchSize: 1, cacheBytes: 1 << 20 }
          const expected = run(still, calm)
          assert.deepEqual(run(still, play), expected)
          assert.deepEqual(run(moved, play), expected)
        }),
        { numRuns },
      )
    })
  }

  const both: Readonly<Record<string, (builder: StreamsBuilder, left: Source, right: Source) => Out>> = {
    cogroup: (_, left, right) =>
      plain(
        left
          .groupByKey()
          .cogroup(
            () => 0,
            (a, n) => a + n,
          )
          .cogroup(right.groupByKey(), (a, n) => a - n)
          .aggregate(),
      ),
    'cogroup of windows': (_, left, right) =>
      windowed(
        left
          .groupByKey()
          .cogroup(
            () => 0,
            (a, n) => a + n,
          )
          .cogroup(right.groupByKey(), (a, n) => a - n)
          .windowedBy(windows.tumbling(10).grace(10_000))
          .emit('close')
          .aggregate(),
      ),
    'tables by a foreign key': (_, left, right) =>
      plain(
        tableOf(left).leftJoin(
          tableOf(right),
          (n) => 'abc'[n % 3] as string,
          (l, r) => `${l}-${r}`,
        ),
      ),
    'a stream with a table of its time': (_, left, right) => {
      const past = { store: { kind: 'versioned', history: '1h', name: 'past' } } as const
      const table = (right as KStream<string, number | null>).toTable(past) as unknown as Rows
      return left.leftJoin(table, (l, r) => `${l}-${r}`, { grace: 10_000 }) as Out
    },
  }

  /** What is left of rows in the end; of streams, all. */
  const last = (name: string, rows: readonly Result[]) =>
    /cogroup$|foreign/.test(name)
      ? [...new Map(rows.map((row) => [row.key, row.value]))].filter(([, v]) => v !== null).sort()
      : rows.map((row) => JSON.stringify(row)).sort()

  for (const [name, step] of Object.entries(both)) {
    it(`${name}: the same in the end, in whatever order the inputs are read`, () => {
      const made = (moved: boolean) =>
        topologyOf((builder) => {
          const opts = {
            key,
            value: number,
            nullKeys: 'drop',
            tombstones: /table/.test(name) ? 'keep' : 'drop',
          } as const
          const [left, right] = ['in0', 'in1'].map((topic) => {
            const source = builder.stream(topic, opts as never) as unknown as Source
            return moved ? source.selectKey((_, k) => k, { key, value: number }) : source
          }) as [Source, Source]
          step(builder, left, right).to('out', { key, value: json })
        })
      const [still, moved] = [made(false), made(true)]
      fc.assert(
        fc.property(plays({ topics: 2, tombstones: 2 }), fc.constantFrom(1, 3), (play, partitions) => {
          const calm = { events: sentIn(play.events), batchSize: 1, cacheBytes: 1 << 20 }
          const expected = last(name, run(still, calm))
          assert.deepEqual(last(name, run(still, play)), expected)
          assert.deepEqual(last(name, run(moved, play, partitions)), expected)
        }),
        { numRuns },
      )
    })
  }
})
