import assert from 'node:assert/strict'
import {
  AfterMatchSkip,
  collect,
  joinWindows,
  type KStream,
  type KTable,
  serdes,
  stores,
  StreamsBuilder,
  untilTimeLimit,
} from '../../../src/index.ts'
import type { InnerDriverOptions } from '../../../src/testing/options.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

interface Held {
  all: number[]
}
type Rows = KTable<string, Held>
type Changes = KStream<string, Held>

const json = { key: serdes.string(), value: serdes.json() }
const held = stores.keyValue('held', { key: serdes.string(), value: serdes.json<Held>() })
const queue = stores.list('queue', { key: serdes.string(), value: serdes.json<Held>() })

/** Who keeps rows of an aggregate that goes on changing them, and what comes of it when 1, 2, 3 are added. */
const keepers: readonly (readonly [
  string,
  (rows: Rows, changes: Changes, builder: StreamsBuilder) => unknown,
  unknown,
])[] = [
  ['a table of its own', (_, changes) => changes.toTable().toStream(), [[1], [1, 2], [1, 2, 3]]],
  [
    'a filter that keeps its rows knows what they were',
    (rows) => rows.filter(({ all }) => all.length !== 2, { store: 'kept' }).toStream(),
    [[1], null, [1, 2, 3]],
  ],
  [
    'a group that takes the old row out',
    (rows) =>
      rows
        .groupBy(({ all }) => ['sum', all.length], { key: serdes.string(), value: serdes.json<number>() })
        .aggregate(() => 0, { add: (a, n) => a + n, subtract: (a, n) => a - n })
        .toStream(),
    [1, 2, 3],
  ],
  [
    'an aggregate that collects them',
    (_, changes) =>
      changes
        .groupByKey()
        .aggregate(collect(({ all }) => all))
        .toStream(),
    [[[1]], [[1], [1, 2]], [[1], [1, 2], [1, 2, 3]]],
  ],
  [
    'an aggregate of the user’s that collects them',
    (_, changes) =>
      changes
        .groupByKey()
        .aggregate(
          () => [] as Held[],
          (a, row) => [...a, row],
          { pure: true },
        )
        .mapValues((a) => a.map(({ all }) => all))
        .toStream(),
    [[[1]], [[1], [1, 2]], [[1], [1, 2], [1, 2, 3]]],
  ],
  [
    'a store of a processor',
    (_, changes, builder) => {
      builder.addStateStore(held)
      return changes.process<string, unknown>(
        (ctx) => ({
          process(row, key) {
            ctx.forward(ctx.store(held).get(key)?.all ?? 'none', key)
            ctx.store(held).put(key, row)
          },
        }),
        { stores: [held] },
      )
    },
    ['none', [1], [1, 2]],
  ],
  [
    'a list of a processor',
    (_, changes, builder) => {
      builder.addStateStore(queue)
      return changes.process<string, unknown>(
        (ctx) => ({
          process(row, key) {
            ctx.store(queue).append(key, row)
            ctx.forward(
              [...ctx.store(queue).values(key)].map(({ all }) => all),
              key,
            )
          },
        }),
        { stores: [queue] },
      )
    },
    [[[1]], [[1], [1, 2]], [[1], [1, 2], [1, 2, 3]]],
  ],
  [
    'the buffer of a stream-stream join',
    (_, changes) =>
      changes.join(
        changes.mapValues((row) => row),
        (l, r) => [l.all, r.all],
        joinWindows.of(100).noGrace(),
      ),
    [
      [[1], [1]],
      [[1], [1, 2]],
      [[1, 2], [1]],
      [
        [1, 2],
        [1, 2],
      ],
      [[1], [1, 2, 3]],
      [
        [1, 2],
        [1, 2, 3],
      ],
      [[1, 2, 3], [1]],
      [
        [1, 2, 3],
        [1, 2],
      ],
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
    ],
  ],
  [
    'a repartition',
    (_, changes) => changes.selectKey((_row, key) => key, json as never).repartition(json as never) as never,
    [[1], [1, 2], [1, 2, 3]],
  ],
  ['a suppression', (rows) => rows.suppress(untilTimeLimit(10)).toStream(), [[1, 2, 3]]],
  [
    'a pattern',
    (_, changes) =>
      changes
        .groupByKey()
        .match((p) => p.begin('one').next('two'), { skip: AfterMatchSkip.none() })
        .select(({ one, two }) => [one[0].all, two[0].all]),
    [
      [[1], [1, 2]],
      [
        [1, 2],
        [1, 2, 3],
      ],
    ],
  ],
]

describe('rows of an aggregate that changes in place are kept as they were', () => {
  for (const [name, build, expected] of keepers) {
    it(`by ${name}`, () => {
      for (const batchSize of [1, 3]) {
        const builder = new StreamsBuilder()
        const rows = builder
          .stream('in', { key: serdes.string(), value: serdes.json<number>() })
          .groupByKey()
          .aggregate(
            (): Held => ({ all: [] }),
            (a, n) => {
              a.all.push(n)
              return a
            },
          ) as unknown as Rows
        const out = build(rows, rows.toStream() as never, builder) as KStream<string, unknown>
        out.to('out', json as never)
        const options: InnerDriverOptions = { strict: false, careful: false, batchSize }
        using driver = new TopologyTestDriver(builder.build(), options)
        driver.input('in').sendAll([1, 2, 3].map((value) => ({ value, key: 'a', timestamp: value === 3 ? 50 : value })))
        driver.end()
        const found = driver
          .output('out')
          .readAll()
          .map(({ value }) => (value as Held | null)?.all ?? value)
        const bySize = (all: unknown[]) => all.map((one) => JSON.stringify(one)).sort()
        if (name.includes('stream-stream')) assert.deepEqual(bySize(found), bySize(expected as unknown[]))
        else assert.deepEqual(found, expected)
      }
    })
  }
})
