import {
  aggregators,
  count,
  joinWindows,
  type KStream,
  latest,
  pattern,
  serdes,
  type Serde,
  stores,
  StreamsBuilder,
  sum,
  type Topology,
  untilWindowCloses,
  watermarks,
  windows,
} from '../../../src/index.ts'

const key = serdes.string()
const json = serdes.json()
const windowed = serdes.windowed(key)
export const keySerdes: Readonly<Record<string, Serde<unknown>>> = { text: key, windowed: windowed as Serde<unknown> }

export interface Case {
  readonly topology: () => Topology
  /** Topics that are fed. */
  readonly inputs: readonly string[]
  readonly keys: 'text' | 'windowed'
  /** Only a key's last row is the same, however the inputs of a task meet. */
  readonly last?: true
  /** Topics that are fed before, and after; default: all. */
  readonly first?: readonly string[]
  readonly rest?: readonly string[]
}

const last = (made: Case): Case => ({ ...made, last: true })

type Source = KStream<string, number>
/** Streams of any type. */
interface Result {
  to(topic: string, opts: object): void
}

/** Watermarks stand still until the end: nothing is late, however partitions get ahead of one another. */
const held = {
  key,
  value: serdes.json<number>(),
  watermark: watermarks.none().withoutIdleness(),
  nullKeys: 'drop',
} as const
const moving = { ...held, watermark: watermarks.boundedOutOfOrderness('1h').withoutIdleness() } as const

const one = (make: (source: Source) => Result): Case => ({
  keys: 'text',
  inputs: ['in'],
  topology: () => {
    const builder = new StreamsBuilder()
    make(builder.stream('in', moving)).to('out', { key, value: json })
    return builder.build()
  },
})
const inWindows = (make: (source: Source) => Result): Case => ({
  keys: 'windowed',
  inputs: ['in'],
  topology: () => {
    const builder = new StreamsBuilder()
    make(builder.stream('in', held)).to('out', { key: windowed, value: json })
    return builder.build()
  },
})
const two = (make: (left: Source, right: () => Source) => Result): Case => ({
  keys: 'text',
  inputs: ['in', 'other'],
  topology: () => {
    const builder = new StreamsBuilder()
    make(builder.stream('in', held), () => builder.stream('other', held)).to('out', { key, value: json })
    return builder.build()
  },
})

const spent = stores.keyValue('spent', { key, value: serdes.number() })
const recent = stores.list('recent', { key, value: serdes.number() })
const byDigit = (n: number) => `d${n % 7}`
const shape = () => aggregators({ n: count(), total: sum((n: number) => n), last: latest((n: number) => n % 10) })

/** Everything that keeps state, with keys as they come and behind a change of key. */
export const cases: Readonly<Record<string, Case>> = {
  count: one((source) => source.groupByKey().count().toStream()),
  'count behind a change of key': one((source) => source.groupBy(byDigit).count().toStream()),
  'two phases': last(
    one((source) =>
      source
        .groupBy(byDigit)
        .aggregate(
          sum((n) => n),
          { twoPhase: true },
        )
        .toStream(),
    ),
  ),
  'built-in aggregators': last(one((source) => source.groupBy(byDigit).aggregate(shape()).toStream())),
  'tumbling windows': inWindows((source) =>
    source.groupByKey().windowedBy(windows.tumbling(50).grace(10)).emit('close').count().toStream(),
  ),
  'hopping windows in panes': inWindows((source) =>
    source
      .groupBy(byDigit)
      .windowedBy(windows.hopping(60, { advance: 20 }).noGrace())
      .emit('close')
      .aggregate(shape())
      .toStream(),
  ),
  sessions: inWindows((source) =>
    source.groupBy(byDigit).windowedBy(windows.session(15).noGrace()).emit('close').count().toStream(),
  ),
  'sliding windows': inWindows((source) =>
    source.groupByKey().windowedBy(windows.sliding(20).noGrace()).emit('close').count().toStream(),
  ),
  'suppressed windows': inWindows((source) =>
    source.groupBy(byDigit).windowedBy(windows.tumbling(50).noGrace()).count().suppress(untilWindowCloses()).toStream(),
  ),
  'a store of windowed rows': inWindows((source) =>
    source
      .groupByKey()
      .windowedBy(windows.tumbling(50).noGrace())
      .count()
      .mapValues((n) => n * 2, { store: 'doubled' })
      .suppress(untilWindowCloses())
      .toStream(),
  ),
  'stream-stream join': two((left, right) => left.outerJoin(right(), (a, b) => [a, b], joinWindows.of(20).noGrace())),
  'stream-stream join behind a change of key': two((left, right) =>
    left.selectKey(byDigit).leftJoin(right().selectKey(byDigit), (a, b) => [a, b], joinWindows.of(3).noGrace()),
  ),
  deduplicate: one((source) => source.deduplicate((n) => n % 3, { within: '1d' })),
  'top-N': last(
    one((source) =>
      source
        .groupBy(byDigit)
        .topN(3, (n) => -n)
        .toStream(),
    ),
  ),
  cogroup: last(
    two((left, right) =>
      left
        .groupBy(byDigit)
        .cogroup(
          () => 0,
          (a, n) => a + n,
        )
        .cogroup(right().groupBy(byDigit), (a, n) => a - n)
        .aggregate()
        .toStream(),
    ),
  ),
  timers: one((source) =>
    source.process<string, number>(
      (ctx) => ({
        process(n, k, record) {
          const total = (ctx.store(spent).get(k as string) ?? 0) + n
          ctx.store(spent).put(k as string, total)
          ctx.store(recent).append(k as string, n)
          ctx.timers.set(k as string, record.timestamp + 10_000_000)
        },
        onTimer(k) {
          const list = [...ctx.store(recent).values(k)]
          ctx.forward((ctx.store(spent).get(k) ?? 0) + list.length, k)
        },
      }),
      { stores: [spent, recent] },
    ),
  ),
  match: one((source) =>
    source
      .groupByKey()
      .match(
        pattern<number>()
          .begin('even')
          .where((n) => n % 2 === 0)
          .followedBy('odd')
          .where((n) => n % 2 === 1),
      )
      .select(({ even, odd }) => [even[0], odd[0]]),
  ),
  'tables of groups': last(
    one((source) =>
      source
        .toTable()
        .groupBy((n) => [byDigit(n), n] as const)
        .aggregate(sum((n) => n))
        .toStream(),
    ),
  ),
  'broadcast rules': {
    ...two((left, right) => left.withBroadcast(right(), (n, rules) => [n, [...rules].length])),
    first: ['other'],
    rest: ['in'],
  },
  'tables joined by key': last(
    two((left, right) =>
      left
        .selectKey(byDigit)
        .toTable()
        .outerJoin(right().selectKey(byDigit).toTable(), (a, b) => [a, b], { store: 'joined' })
        .toStream(),
    ),
  ),
  'tables joined by a foreign key': last(
    two((left, right) =>
      left
        .toTable()
        .leftJoin(
          right().toTable(),
          (n) => `k${n % 12}`,
          (a, b) => [a, b],
        )
        .toStream(),
    ),
  ),
  'a versioned table': two((left, right) =>
    left.leftJoin(right().toTable({ store: { kind: 'versioned', history: '1d' } }), (a, b) => [a, b], { grace: 5 }),
  ),
  'rows with a time to live': last(
    one((source) =>
      source
        .groupBy(byDigit)
        .count({ store: { name: 'alive', ttl: '10d' } })
        .toStream(),
    ),
  ),
}
