import {
  aggregators,
  approxDistinct,
  avg,
  collect,
  count,
  distinct,
  every,
  first,
  latest,
  max,
  min,
  quantile,
  sum,
  topK,
  untilWindowCloses,
  windows,
} from '../../../../src/index.ts'
import { type Kind, listed, noting, own, last, text, toText, trip, type Text } from './kind.ts'

export const aggregates: readonly Kind[] = [
  {
    name: 'reduce',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .groupByKey()
          .reduce((a, v) => trip(v, a + v), own)
          .toStream() as never,
      ),
  },
  {
    name: 'aggregate',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .groupByKey()
          .aggregate(listed[0], (a, v) => trip(v, a + v), own)
          .toStream() as never,
      ),
  },
  {
    name: 'an aggregate that had begun to change in place',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .groupByKey()
          .aggregate(
            () => ({ all: [] as string[] }),
            (a, v) => {
              a.all.push(v)
              return trip(v, a)
            },
            own,
          )
          .toStream() as never,
      ),
  },
  {
    name: 'an initializer',
    step: 'culprit',
    build: (s) =>
      toText(
        noting(s.selectKey((v) => v, text).repartition({ name: 'early' }) as Text)
          .groupByKey()
          .aggregate(
            () => trip(last.seen, ''),
            (a, v) => a + v,
            own,
          )
          .toStream() as never,
      ),
  },
  {
    name: 'a built-in aggregator’s function',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .groupByKey()
          .aggregate(
            sum((v: string) => trip(v, v.length)),
            own,
          )
          .toStream() as never,
      ),
  },
  {
    name: 'topN’s rank',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .groupByKey()
          .topN(2, (v) => trip(v, v), own)
          .toStream() as never,
      ),
  },
  {
    name: 'a windowed aggregate',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .groupByKey()
          .windowedBy(windows.hopping(20, { advance: 10 }).noGrace())
          .emit('close')
          .aggregate(listed[0], (a, v) => trip(v, listed[1](a, v)), own)
          .toStream() as never,
      ),
  },
  {
    name: 'a session’s merge',
    step: 'culprit',
    at: 11,
    build: (s) =>
      toText(
        s
          .groupByKey()
          .windowedBy(windows.session(1).grace(9))
          .aggregate(listed[0], listed[1], { ...own, merge: (a, b) => trip('boom', a + b) })
          .toStream()
          .filter((v) => v !== null && !v.includes('boom')) as never,
      ),
  },
  {
    name: 'a session’s gap',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .groupByKey()
          .windowedBy((w) => w.session((v) => trip(v, 5)).noGrace())
          .count(own)
          .toStream() as never,
      ),
  },
  {
    name: 'deduplicate',
    step: 'culprit',
    build: (s) => s.deduplicate((v) => trip(v, v), { ...own, within: 5 }) as Text,
  },
  {
    name: 'what follows a window that closes',
    step: 'culprit',
    timed: true,
    build: (s) =>
      toText(
        s
          .selectKey((v) => v, text)
          .groupByKey()
          .windowedBy(windows.tumbling(10).noGrace())
          .emit('close')
          .count()
          .toStream()
          .mapValues((v, k) => trip(k.key, v), own) as never,
      ),
  },
  ...(
    [
      ['sum', sum((v: string) => trip(v, v.length))],
      ['avg', avg((v: string) => trip(v, v.length))],
      ['min', min((v: string) => trip(v, v))],
      ['max', max((v: string) => trip(v, v))],
      ['first', first((v: string) => trip(v, v))],
      ['latest', latest((v: string) => trip(v, v))],
      ['collect', collect((v: string) => trip(v, v))],
      ['distinct', distinct((v: string) => trip(v, v))],
      ['approxDistinct', approxDistinct((v: string) => trip(v, v))],
      ['topK', topK((v: string) => trip(v, v), 2)],
      ['quantile', quantile((v: string) => trip(v, v.length), 0.5)],
      ['several', aggregators({ n: count(), all: collect((v: string) => trip(v, v)) })],
    ] as const
  ).map(
    ([name, aggregator]): Kind => ({
      // of a row's later records first() knows the time alone
      ...(name === 'first' ? { bad: [['c', 'boom', 11]] } : {}),
      name: `the function of ${name}()`,
      step: 'culprit',
      build: (s) =>
        toText(
          s
            .groupByKey()
            .aggregate(aggregator as never, own)
            .toStream() as never,
        ),
    }),
  ),
  ...(
    [
      ['tumbling', windows.tumbling(10).noGrace(), 'update'],
      ['tumbling', windows.tumbling(10).noGrace(), 'close'],
      ['cumulative', windows.cumulative(10, { step: 5 }).noGrace(), 'close'],
      ['sliding', windows.sliding(5).noGrace(), 'update'],
      ['sliding', windows.sliding(5).noGrace(), 'close'],
      ['count', windows.count(2), 'update'],
      ['unlimited', windows.unlimited(), 'update'],
      ['session', windows.session(5).noGrace(), 'update'],
      ['session', windows.session(5).noGrace(), 'close'],
      ['hopping', windows.hopping(20, { advance: 10 }).noGrace(), 'onTime'],
      ['hopping', windows.hopping(20, { advance: 10 }).noGrace(), every(5)],
    ] as const
  ).map(
    ([name, windowed, mode]): Kind => ({
      name: `an adder of ${name} windows (${typeof mode === 'string' ? mode : 'every'})`,
      step: 'culprit',
      build: (s) =>
        toText(
          s
            .groupByKey()
            .windowedBy(windowed as never)
            .emit(mode as never)
            .aggregate(listed[0], (a: string, v: string) => trip(v, listed[1](a, v)), {
              ...own,
              merge: (a: string, b: string) => a + b,
            } as never)
            .toStream() as never,
        ),
    }),
  ),
  {
    name: 'an adder of panes',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .groupByKey()
          .windowedBy(windows.hopping(20, { advance: 10 }).noGrace())
          .emit('close')
          .aggregate(listed[0], (a, v) => trip(v, listed[1](a, v)), { ...own, merge: (a, b) => a + b })
          .toStream() as never,
      ),
  },
  ...(['close', every(30)] as const).map(
    (mode): Kind => ({
      name: `the merger of panes (${mode === 'close' ? mode : 'every'})`,
      step: 'culprit',
      bad: [
        ['c', 'boom', 25],
        ['c', 'boom', 35],
      ],
      timed: true,
      build: (s) =>
        toText(
          s
            .groupByKey()
            .windowedBy(windows.hopping(20, { advance: 10 }).noGrace())
            .emit(mode as 'close')
            .aggregate(listed[0], listed[1], { ...own, merge: (a, b) => trip(b, a + b) })
            .toStream()
            .filter((v) => !v.includes('boom')) as never,
        ),
    }),
  ),
  {
    name: 'an adder of cogroup',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .filter((v) => v !== 'boom')
          .groupByKey()
          .cogroup(...listed)
          .cogroup(s.groupByKey(), (a, v) => trip(v, a + v))
          .aggregate(own)
          .toStream() as never,
      ),
  },
  {
    name: 'an adder of a windowed cogroup',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .filter((v) => v !== 'boom')
          .groupByKey()
          .cogroup(...listed)
          .cogroup(s.filter((v) => v === 'boom').groupByKey(), (a, v) => trip(v, a + v))
          .windowedBy(windows.tumbling(10).noGrace())
          .emit('close')
          .aggregate(own)
          .toStream() as never,
      ),
  },
  {
    name: 'the first phase of an aggregate of two',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .groupBy((v) => v.slice(0, 1), text)
          .aggregate(
            collect((v: string) => trip(v, v)),
            { ...own, twoPhase: true },
          )
          .toStream() as never,
      ),
  },
  {
    name: 'deduplicate that keeps the latest',
    step: 'culprit',
    build: (s) => s.deduplicate((v) => trip(v, v), { ...own, within: 5, keep: 'latest' }) as Text,
  },
  {
    name: 'what follows a suppressed window',
    step: 'culprit',
    timed: true,
    build: (s) =>
      toText(
        s
          .selectKey((v) => v, text)
          .groupByKey()
          .windowedBy(windows.tumbling(10).noGrace())
          .count()
          .suppress(untilWindowCloses())
          .mapValues((v, k) => trip(k.key, v), own)
          .toStream() as never,
      ),
  },
]
