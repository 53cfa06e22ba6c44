// A case's steps are typed by what they are at run time, so everything here is any.
// biome-ignore-all lint/suspicious/noExplicitAny: see above
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { joinWindows, serdes, StreamsBuilder, type Topology, untilWindowCloses, windows } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

type Row = readonly [key: string | null, value: string | null, timestamp: number]
interface Case {
  readonly kind: string
  readonly [option: string]: any
  readonly in: readonly {
    readonly t: string
    readonly k: string | null
    readonly v: string | null
    readonly ts: number
  }[]
  /** Of a row that is not the same here: the words of docs/semantics.md that say why. */
  readonly argued?: string
  /** What Kafka Streams sent after each record. */
  readonly out: readonly (readonly Row[])[]
}

const file = new URL('../../vectors/kafka-streams-recorded.json', import.meta.url)
const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[]

const semantics = readFileSync(new URL('../../../docs/semantics.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ')

const text = serdes.string()
const io = { key: text, value: text }
const joiner = (left: unknown, right: unknown) => `${left}-${right}`
/** Values that begin with '-' name nothing. */
const named = (value: string) => (value.startsWith('-') ? null : value[0])
const store = (name: string, versioned: boolean) =>
  versioned ? { store: { name, kind: 'versioned', history: 300_000 } as const } : { store: name }

/** One for each kind: what comes out of it as a stream. */
const kinds: Readonly<Record<string, (builder: StreamsBuilder, one: Case) => any>> = {
  'stream-stream': (b, { how, size, before, after, grace }) =>
    (b.stream('left', io) as any)[how](
      b.stream('right', io),
      joiner,
      joinWindows.of(size).before(before).after(after).grace(grace),
    ),
  'stream-table': (b, { how, vr }) => (b.stream('left', io) as any)[how](table(b, 'right', vr), joiner),
  'table-table': (b, { how, vl, vr, vj, mat }) =>
    (table(b, 'left', vl) as any)[how](table(b, 'right', vr), joiner, mat ? store('joined', vj) : {}).toStream(),
  foreign: (b, { how, vl, vr }) =>
    (table(b, 'left', vl) as any)[how](table(b, 'right', vr), named, joiner, store('joined', false)).toStream(),
  global: (b, { how }) => (b.stream('left', io) as any)[how](b.globalTable('right', io), named, joiner),
  'filter-group': (b, { vl, filter }) => {
    const rows = table(b, 'left', vl)
    return (filter ? rows.filter((v) => !v.endsWith('x')) : rows)
      .groupBy((v) => [v[0] as string, v], io)
      .aggregate(() => '0', { add: (a, v) => `${a}+${v}`, subtract: (a, v) => `${a}-${v}` })
      .toStream()
  },
  aggregate: (b) =>
    (b.stream('left', io).groupByKey() as any)
      .aggregate(
        () => '0',
        (a: string | null, v: string) => (v.startsWith('d') ? null : `${a ?? 'n'}+${v}`),
      )
      .toStream(),
  reduce: (b) =>
    (b.stream('left', io).groupByKey() as any)
      .reduce((a: string, v: string) => (v.startsWith('d') ? null : `${a}+${v}`))
      .toStream(),
  window: (b, { window, size, advance, grace, suppress }) => {
    const of: any =
      window === 'session'
        ? windows.session(size)
        : window === 'sliding'
          ? windows.sliding(size)
          : windows.hopping(size, { advance })
    const rows = (b.stream('left', io).groupByKey().windowedBy(of.grace(grace)) as any).aggregate(
      () => '0',
      (a: string, v: string) => `${a}+${v}`,
      { merge: (x: string, y: string) => x + y.slice(1) },
    )
    return shown((suppress ? rows.suppress(untilWindowCloses()) : rows).toStream())
  },
  cogroup: (b, { window, size, grace }) => {
    const both = b
      .stream('left', io)
      .groupByKey()
      .cogroup(
        () => '0',
        (a, v) => `${a}+${v}`,
      )
      .cogroup(b.stream('right', io).groupByKey(), (a, v) => `${a}*${v}`)
    if (!window) return both.aggregate().toStream()
    return shown(both.windowedBy(windows.tumbling(size).grace(grace)).aggregate().toStream())
  },
  totable: (b, { vl }) =>
    (b.stream('left', { ...io, tombstones: 'keep' }) as any)
      .toTable(store('rows', vl))
      .filter((v: string) => !v.endsWith('x'))
      .mapValues((v: string) => `${v}!`)
      .toStream(),
}

const table = (builder: StreamsBuilder, topic: string, versioned: boolean) =>
  builder.table(topic, { ...io, ...store(`${topic}-rows`, versioned) })
const shown = (stream: any) =>
  stream.map((v: string | null, { key, window }: any) => [`${key}@${window.start}/${window.end}`, v])

function topologyOf(one: Case): Topology {
  const builder = new StreamsBuilder()
  const make = kinds[one.kind] ?? assert.fail(`no kind is called ${one.kind}`)
  make(builder, one).to('out', io)
  return builder.build()
}

/** Tombstones for rows that were not there are not sent here; see docs/semantics.md. */
function withoutIdle(out: Case['out']): Row[][] {
  const live = new Set<string | null>()
  return out.map((rows) =>
    rows.filter(([key, value]) => {
      if (value !== null) live.add(key)
      return value !== null || live.delete(key)
    }),
  )
}

const sorted = (rows: readonly Row[]): string[] => rows.map((row) => JSON.stringify(row)).sort()

/** The differences that docs/semantics.md tells: order within a record, when unmatched records come, times of foreign-key results. */
function comparable({ kind, how, window }: Case, out: Case['out']): unknown {
  const rows = withoutIdle(out)
  if (kind === 'stream-stream' && how !== 'join') return sorted(rows.flat().filter(([key]) => key !== 'last'))
  if (kind === 'window' && window === 'sliding') return rows.map(sorted)
  if (kind === 'foreign') return rows.map((now) => sorted(now.map(([key, value]) => [key, value, 0])))
  return rows
}

describe('what Kafka Streams sends on random input', () => {
  for (const [i, one] of cases.entries()) {
    const { in: sent, out, kind, argued, ...options } = one
    it(`${i + 1}: ${kind} ${JSON.stringify(options)}`, () => {
      using driver = new TopologyTestDriver(topologyOf(one))
      const found = sent.map(({ t, k, v, ts }) => {
        driver.input(t).send(v, { key: k, timestamp: ts })
        return driver
          .output('out')
          .readAll()
          .map(({ key, value, timestamp }) => [key, value, timestamp] as Row)
      })
      if (argued === undefined) assert.deepEqual(comparable(one, found), comparable(one, out))
      else {
        assert.notDeepEqual(comparable(one, found), comparable(one, out))
        assert.ok(semantics.includes(argued), argued)
      }
    })
  }
})
