import {
  every,
  type KStream,
  pattern,
  serdes,
  StreamsBuilder,
  type Topology,
  untilTimeLimit,
  untilWindowCloses,
  watermarks,
  type Windowed,
  type Windows,
  windows,
} from '../../../src/index.ts'

const text = serdes.string()
const serde = { key: text, value: text }

/** A drawing's first line: `tumbling 5, grace 2, emit close`. */
export interface Title {
  readonly kind: string
  readonly args: readonly string[]
  readonly options: ReadonlyMap<string, readonly string[]>
}

export function titleOf(line: string): Title {
  const [what = '', ...more] = line.split(', ')
  const [kind = '', ...args] = what.split(' ')
  const options = new Map(
    more.map((one) => {
      const [name = '', ...rest] = one.split(' ')
      return [name, rest] as const
    }),
  )
  return { kind, args, options }
}

type Keyed = KStream<string, string>
interface Out {
  to(topic: string, opts: object): void
}

const numberIn = (value: string): number => Number(/\d+/.exec(value)?.[0] ?? 0)

function windowsOf({ kind, args, options }: Title, wall: boolean): Windows<'tumbling' | 'session'> {
  const [first = 0, second = 0] = args.map(Number).filter((n) => !Number.isNaN(n))
  const clock = { clock: 'wall' } as const
  const graced = (made: { grace(d: number): unknown }) =>
    made.grace(Number(options.get('grace')?.[0] ?? 0)) as Windows<'tumbling'>
  const offset = Number(options.get('offset')?.[0] ?? 0)
  if (kind === 'tumbling') return wall ? windows.tumbling(first, clock) : graced(windows.tumbling(first, { offset }))
  if (kind === 'hopping') return graced(windows.hopping(first, { advance: second }))
  if (kind === 'cumulative') return graced(windows.cumulative(first, { step: second }))
  if (kind === 'sliding') return graced(windows.sliding(first))
  const [timeZone] = args
  if (kind === 'day') return graced(windows.tumbling('1d', { timeZone: timeZone as string }))
  if (kind === 'month') return graced(windows.tumbling('1M', { timeZone: timeZone as string }))
  if (kind === 'count') return windows.count(first) as never
  if (kind === 'unlimited') return windows.unlimited() as never
  if (wall) return windows.session(first, clock) as never
  if (args[0] === 'value') return graced(windows.session((value: string) => numberIn(value)) as never)
  return graced(windows.session(first))
}

const windowKinds = new Set('tumbling hopping cumulative sliding day month count unlimited session'.split(' '))

const emitOf = ([mode = 'update', interval]: readonly string[]) =>
  mode === 'every' ? every(Number(interval)) : (mode as 'update' | 'close' | 'onTime')

/** Windows show what they hold: letters in the order in which they were added. */
function windowed(stream: Keyed, title: Title): Out {
  const { options } = title
  let of = stream.groupByKey().windowedBy(windowsOf(title, options.has('wall')) as Windows<'tumbling'>)
  if (options.has('emit')) of = of.emit(emitOf(options.get('emit') as string[]))
  if (options.has('late')) of = of.lateTo('late', serde)
  const merge = (a: string, b: string) => a + b
  const table = of.aggregate(
    () => '',
    (a, v) => a + v,
    { merge },
  )
  const held = options.has('suppress') ? table.suppress(untilWindowCloses()) : table
  return shown(held.toStream() as KStream<Windowed<string>, string | null>)
}

/** A window's bounds before its value; they are part of the key. */
const shown = (stream: KStream<Windowed<string>, string | null>): Out =>
  stream.map((value, { key, window }) => [`${key === 'k' ? '' : `${key}:`}${window.start}..${window.end}`, value])

const limitOf = ({ args, options }: Title) =>
  untilTimeLimit(Number(args[0]), options.has('max') ? { maxRecords: Number(options.get('max')?.[0]) } : {})

/** What is drawn, but for windows and joins. */
const others: Readonly<Record<string, (builder: StreamsBuilder, source: () => Keyed, title: Title) => Out>> = {
  aggregate: (_, source) =>
    source()
      .groupByKey()
      .aggregate(
        () => '' as string | null,
        (a, v) => (v === '-' ? null : (a ?? '') + v),
      )
      .toStream(),
  table: (builder, _, { args }) => {
    const table = builder.table('in', serde)
    if (args[0] === 'filter') return table.filter((v) => v !== '-').toStream()
    if (args[0] === 'mapValues') return table.mapValues((v) => `${v}!`).toStream()
    if (args[0] === 'suppress') return table.toStream()
    return table
      .groupBy((v) => [v[0] as string, v])
      .aggregate(() => '0', { add: (a, v) => `${a}+${v}`, subtract: (a, v) => a.replace(`+${v}`, '') })
      .toStream()
  },
  suppress: (builder, _, title) => builder.table('in', serde).suppress(limitOf(title)).toStream(),
  cogroup: (builder, source) =>
    source()
      .groupByKey()
      .cogroup(
        () => '',
        (a, v) => a + v,
      )
      .cogroup((builder.stream('other', { ...serde, nullKeys: 'drop' }) as Keyed).groupByKey(), (a, v) => `${a}(${v})`)
      .aggregate()
      .toStream(),
  deduplicate: (_, source, { args, options }) =>
    source().deduplicate((v) => v[0], {
      within: Number(args[0]),
      keep: (options.get('keep')?.[0] ?? 'first') as 'first' | 'latest',
    }),
  topN: (_, source, { args }) =>
    source()
      .groupByKey()
      .topN(Number(args[0]), (v) => numberIn(v))
      .toStream()
      .mapValues((rows) => rows.join('+')),
  mapAsync: (_, source, { args }) =>
    source().mapAsync(async (v) => v.toUpperCase(), { ordered: args[0] === 'unordered' ? false : 'key' }),
  broadcast: (builder, source) =>
    source().withBroadcast(
      builder.stream('rules', serde),
      (v, rules) => `${v}/${[...rules].map(([, r]) => r).join('')}`,
    ),
  pattern: (_, source, { args, options }) => {
    const [first, second] = args as [string, string, string]
    const begun = pattern<string>()
      .begin('a')
      .where((v) => v.startsWith(first))
    const next =
      args[2] === 'next' ? begun.next('b') : args[2] === 'any' ? begun.followedByAny('b') : begun.followedBy('b')
    const whole = next.where((v) => v.startsWith(second)).within(Number(options.get('within')?.[0] ?? 1000))
    const matched = source().groupByKey().match(whole)
    const timedOut = (partial: { readonly a?: readonly string[] }) => `${partial.a?.join('')}?`
    return (options.has('late') ? matched.late('late', serde) : matched).select(
      (match) => `${match.a.join('')}${match.b.join('')}`,
      options.has('timeouts') ? { timedOut } : {},
    )
  },
}

/** @throws Error: nobody knows such a drawing */
export function drawnTopology(title: Title): Topology {
  const builder = new StreamsBuilder()
  const bound = title.options.get('bound')?.[0]
  const watermark = bound === undefined ? {} : { watermark: watermarks.boundedOutOfOrderness(Number(bound)) }
  const stream = (topic: string, opts: object): Keyed =>
    builder.stream(topic, { ...serde, ...opts, nullKeys: 'drop' }) as Keyed
  const idle = title.options.get('idle')?.[0]
  const source = (): Keyed => {
    if (idle === undefined) return stream('in', watermark)
    const idleness = { watermark: watermarks.monotonous().withIdleness(Number(idle)) }
    return stream('in', idleness).merge(stream('other', idleness))
  }
  const make = others[title.kind]
  if (windowKinds.has(title.kind)) windowed(source(), title).to('out', serde)
  else if (make === undefined) throw new Error(`no drawing is called ${title.kind}`)
  else make(builder, source, title).to('out', serde)
  return builder.build()
}
