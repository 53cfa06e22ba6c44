import {
  joinWindows,
  type KStream,
  serdes,
  StreamsBuilder,
  sum,
  type Topology,
  watermarks,
  windows,
} from '../../../src/index.ts'

export const text = { key: serdes.string(), value: serdes.string() }

/** What every user function here does with what it is given. */
export function trip<T>(value: unknown, result: T): T {
  if (typeof value === 'string' && value.includes('boom')) throw new RangeError('it went boom')
  return result
}

type Text = KStream<string | null, string>

/** A kind of user function: a topology from 'in' to 'out' that has one of it. */
export interface Kind {
  readonly name: string
  /** Part of the name of the step that the error must tell. */
  readonly step: string
  readonly code?: string
  /** Time makes it fail, and no record. */
  readonly timed?: boolean
  /** The bad record comes behind the good ones, at this time. */
  readonly at?: number
  readonly build: (input: Text, builder: StreamsBuilder) => Text | undefined
  /** Of the source. */
  readonly source?: object
  /** Of the sink. */
  readonly sink?: object
}

const own = { name: 'culprit' }
let seen = ''
const noting = (input: Text) => input.peek((value) => void (seen = value))
const toText = (input: unknown): Text =>
  (input as KStream<unknown, unknown>).map(
    (value, key) => [typeof key === 'string' ? key : JSON.stringify(key), JSON.stringify(value ?? null)] as const,
    text,
  ) as Text
const listed = [() => '', (all: string, value: string) => `${all}${value},`] as const

export const kinds: readonly Kind[] = [
  { name: 'filter', step: 'culprit', build: (s) => s.filter((v) => trip(v, true), own) },
  { name: 'filterNot', step: 'culprit', build: (s) => s.filterNot((v) => trip(v, false), own) },
  { name: 'mapValues', step: 'culprit', build: (s) => s.mapValues((v) => trip(v, v), own) },
  {
    name: 'map',
    step: 'culprit',
    build: (s) => s.map((v, k) => trip(v, [k, v] as const), { ...own, ...text }) as Text,
  },
  {
    name: 'flatMap',
    step: 'culprit',
    build: (s) => s.flatMap((v, k) => trip(v, [[k, v] as const]), { ...own, ...text }) as Text,
  },
  {
    name: 'flatMap, half-way',
    step: 'culprit',
    build: (s) =>
      s.flatMapValues(function* (v) {
        yield trip(v, v)
      }, own),
  },
  { name: 'flatMapValues', step: 'culprit', build: (s) => s.flatMapValues((v) => trip(v, [v, v]), own) },
  { name: 'selectKey', step: 'culprit', build: (s) => s.selectKey((v) => trip(v, v), { ...own, ...text }) as Text },
  { name: 'peek', step: 'culprit', build: (s) => s.peek((v) => trip(v, undefined), own) },
  {
    name: 'forEach',
    step: 'culprit',
    build: (s) => {
      s.forEach((v) => trip(v, undefined), own)
      return s.filter((v) => v !== 'boom')
    },
  },
  {
    name: 'a branch',
    step: 'culprit',
    build: (s) =>
      s
        .split(own)
        .branch('a', (v) => trip(v, true))
        .default('b').a,
  },
  {
    name: 'groupBy',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .groupBy((v) => trip(v, v), { ...own, ...text })
          .count()
          .toStream() as never,
      ),
  },
  {
    name: 'a repartition’s partitioner',
    step: 'culprit',
    build: (s) => s.repartition({ ...own, ...text, partitioner: (v: string) => trip(v, 0) } as never) as Text,
  },
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
        noting(s)
          .selectKey((v) => v, text)
          .groupByKey()
          .aggregate(
            () => trip(seen, ''),
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
    name: 'a table’s filter',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .toTable()
          .filter((v) => trip(v, true), own)
          .toStream() as never,
      ),
  },
  {
    name: 'a table’s mapValues',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .toTable()
          .mapValues((v) => trip(v, v), own)
          .toStream() as never,
      ),
  },
  {
    name: 'a table’s groupBy',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .selectKey((v) => v, text)
          .toTable()
          .groupBy((v): readonly [string, string] => trip(v, ['all', v]), { ...own, ...text })
          .count()
          .toStream() as never,
      ),
  },
  {
    name: 'add behind a table’s groupBy',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .selectKey((v) => v, text)
          .toTable()
          .groupBy((v): readonly [string, string] => ['all', v], text)
          .aggregate(() => '', { add: (a, v) => trip(v, a + v), subtract: (a) => a }, own)
          .toStream() as never,
      ),
  },
  {
    name: 'a stream-table joiner',
    step: 'culprit',
    build: (s) => s.join(s.filter((v) => v !== 'boom').toTable(), (v, row) => trip(v, v + row), own) as Text,
  },
  {
    name: 'a table-table joiner',
    step: 'culprit',
    build: (s) => {
      const [left, right] = [s.toTable({ store: 'left' }), s.filter((v) => v !== 'boom').toTable({ store: 'right' })]
      return toText(
        left
          .leftJoin(right, (l, r) => trip(l, [l, r]), own)
          .toStream()
          .filter((v) => !JSON.stringify(v).includes('boom')) as never,
      )
    },
  },
  {
    name: 'a stream-stream joiner',
    step: 'culprit',
    build: (s) =>
      s.join(
        s.mapValues((v) => v),
        (l, r) => trip(l, l + r),
        joinWindows.of(0).noGrace(),
        own,
      ) as Text,
  },
  {
    name: 'deduplicate',
    step: 'culprit',
    build: (s) => s.deduplicate((v) => trip(v, v), { ...own, within: 5 }) as Text,
  },
  {
    name: 'process',
    step: 'culprit',
    build: (s) =>
      s.process<string, string>((ctx) => ({ process: (v, k) => ctx.forward(trip(v, v), k as string) }), {
        ...own,
        ...text,
      }) as Text,
  },
  {
    name: 'processValues',
    step: 'culprit',
    build: (s) => s.processValues<string>((ctx) => ({ process: (v) => ctx.forward(trip(v, v)) }), own),
  },
  {
    name: 'onTimer',
    step: 'culprit',
    timed: true,
    build: (s) =>
      s.process<string, string>(
        (ctx) => ({
          process: (v, _, { timestamp }) => ctx.timers.set(v, timestamp),
          onTimer: (key) => ctx.forward(trip(key, key), key),
        }),
        { ...own, ...text },
      ) as Text,
  },
  {
    name: 'a punctuator',
    step: 'culprit',
    at: 14,
    timed: true,
    build: (s) =>
      noting(s)
        .process<string, string>(
          (ctx) => {
            ctx.schedule(1, 'stream', () => trip(seen, undefined))
            return { process: (v, k) => ctx.forward(v, k as string) }
          },
          { ...own, ...text },
        )
        .filter((v) => v !== 'boom') as Text,
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
  {
    name: 'transformValues of a table',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .toTable()
          .transformValues(() => ({ transform: (v) => trip(v, v) }), own)
          .toStream() as never,
      ),
  },
  {
    name: 'a sink’s choice of topic',
    step: 'to',
    build: (s) => void s.to((v) => trip(v, 'out'), text as never) as never,
  },
  { name: 'a sink’s partitioner', step: 'to', build: (s) => s, sink: { partitioner: (v: string) => trip(v, 0) } },
  { name: 'a sink’s headers', step: 'to', build: (s) => s, sink: { headers: (v: string) => trip(v, { n: '1' }) } },
  {
    name: 'a serializer',
    step: 'to',
    code: 'DHAARA_SERIALIZE',
    build: (s) => s,
    sink: {
      value: serdes.from<string>({
        serialize: (v) => trip(v, Buffer.from(v)),
        deserialize: (b) => Buffer.from(b).toString(),
      }),
    },
  },
  {
    name: 'a deserializer',
    step: 'in',
    code: 'DHAARA_DESERIALIZE',
    build: (s) => s,
    source: {
      value: serdes.from<string>({
        serialize: (v) => Buffer.from(v),
        deserialize: (b) => trip(Buffer.from(b).toString(), Buffer.from(b).toString()),
      }),
    },
  },
  {
    name: 'a timestamp extractor',
    step: 'in',
    code: 'DHAARA_TIMESTAMP',
    build: (s) => s,
    source: { timestamp: (v: string, _: unknown, record: { timestamp: number }) => trip(v, record.timestamp) },
  },
  {
    name: 'a punctuated watermark',
    step: 'in',
    build: (s) => s.filter((v) => v !== 'boom'),
    source: { watermark: watermarks.punctuated((v: string, at) => trip(v, at)) },
  },
]

/** @param prefix of its topics */
export function addKind(builder: StreamsBuilder, kind: Kind, prefix = ''): void {
  const input = builder.stream(`${prefix}in`, { ...text, ...kind.source }) as Text
  kind.build(input, builder)?.to(`${prefix}out`, { ...text, ...kind.sink })
}

export function topologyOf(kind: Kind): Topology {
  const builder = new StreamsBuilder()
  addKind(builder, kind)
  return builder.build()
}
