import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { joinWindows, serdes, StreamsBuilder, type KStream, type KTable, type Topology } from '../../../../src/index.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'

type How = 'join' | 'leftJoin' | 'outerJoin'
interface Result {
  readonly key: number | null
  readonly value: string | null
  readonly ts: number
}
interface Case {
  readonly suite: string
  readonly test: string
  readonly kind: 'stream-stream' | 'stream-table' | 'table-table'
  readonly ops: readonly How[]
  readonly windows: readonly { readonly timeDifferenceMs: number; readonly graceMs: number }[]
  readonly joinGraceMs?: number
  readonly versioned: { readonly left: boolean; readonly right: boolean }
  readonly repartitionedByMap: boolean
  readonly input: string
  readonly expectedPerInput: readonly (readonly Result[] | null)[]
}
interface Vectors {
  readonly inputs: Readonly<Record<string, readonly (Result & { readonly topic: string })[]>>
  readonly cases: readonly Case[]
}

const file = process.env['JOIN_VECTORS'] ?? new URL('../../../vectors/kafka-streams-joins.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors
const serde = { key: serdes.number(), value: serdes.string() }
const join = (left: string | null, right: string | null) => `${left}-${right}`

describe('joins as Kafka Streams tests them', () => {
  for (const one of vectors.cases) {
    it(`${one.suite} ${one.test}`, () => {
      using driver = new TopologyTestDriver(topologyOf(one))
      const sent = vectors.inputs[one.input] ?? []
      const topics = new Set(one.kind === 'table-table' || one.ops.length > 0 ? ['left', 'right'] : ['left'])
      const found = sent.map(({ topic, key, value, ts }) => {
        if (topics.has(topic)) driver.input(topic).send(value, { key, timestamp: ts })
        const out = driver.output('out').readAll()
        return out.length === 0 ? null : out.map((r) => ({ key: r.key, value: r.value, ts: r.timestamp }))
      })
      assert.deepEqual(found, one.expectedPerInput)
    })
  }
})

function topologyOf(one: Case): Topology {
  const builder = new StreamsBuilder()
  const out = one.kind === 'table-table' ? tables(builder, one) : streams(builder, one)
  out.to('out', serde)
  return builder.build()
}

function tables(builder: StreamsBuilder, { ops, versioned }: Case): KStream<number, string | null> {
  const left = tableOf(builder, 'left', versioned.left)
  const right = tableOf(builder, 'right', versioned.right)
  let table: KTable<number, string> = left
  for (const op of ops) table = table[op as 'outerJoin'](right, join)
  return table.toStream()
}

function streams(builder: StreamsBuilder, one: Case): KStream<number | null, string> {
  const { ops, kind, versioned, windows, joinGraceMs } = one
  const streamOf = (topic: string): KStream<number | null, string> => {
    const stream = builder.stream(topic, serde)
    return one.repartitionedByMap ? stream.map((value, key) => [key, value] as const) : stream
  }
  const left = streamOf('left')
  if (kind === 'stream-table') {
    const right = tableOf(builder, 'right', versioned.right)
    const opts = joinGraceMs === undefined ? {} : { grace: joinGraceMs }
    return left[ops[0] as 'leftJoin'](right, join, opts)
  }
  const right = streamOf('right')
  let stream = left
  for (const [i, op] of ops.entries()) {
    const { timeDifferenceMs, graceMs } = windows[i] ?? windows[0]!
    const within = joinWindows.of(timeDifferenceMs).grace(graceMs)
    stream = stream[op as 'outerJoin'](right, join, within)
  }
  return stream
}

const tableOf = (builder: StreamsBuilder, topic: string, versioned: boolean): KTable<number, string> =>
  builder.table(topic, {
    ...serde,
    ...(versioned ? { store: { name: `${topic}-rows`, kind: 'versioned', history: '5m' } as const } : {}),
  })
