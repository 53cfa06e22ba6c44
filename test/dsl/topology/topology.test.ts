import assert from 'node:assert/strict'
import { planOf } from '../../../src/dsl/topology/index.ts'
import { aggregators, count, type KStream, pattern, StreamsBuilder, serdes, sum, windows } from '../../../src/index.ts'
import { type Order, ordersBuilder, refusal } from '../plan.ts'

const text = serdes.string()
const versioned = (version: number) =>
  serdes.from<string>({ serialize: (v) => Buffer.from(v), deserialize: (b) => Buffer.from(b).toString(), version })

function jobs() {
  const { builder, orders, key, value } = ordersBuilder()
  const regions = builder.globalTable('regions', { key, value })
  orders
    .join(
      regions,
      (o) => o.city,
      (o) => o,
    )
    .groupBy((o) => o.city)
    .windowedBy(windows.tumbling('1h', { timeZone: 'Asia/Kolkata' }).grace('5m'))
    .lateTo('late', { key: text, value: serdes.json() })
    .aggregate(aggregators({ n: count(), s: sum((o) => o.total) }), { store: 'trends' })
    .toStream()
    .to(() => 'out', { key: serdes.windowed(text), value: serdes.json() })
  return builder
}

describe('Topology', () => {
  it("describes itself in Kafka Streams' words", () => {
    const description = `Topologies:
   Sub-topology: 0
    Source: orders (topics: [orders])
      --> orders-joinGlobal-1
    Processor: orders-joinGlobal-1 (stores: [])
      --> orders-groupBy-1
      <-- orders
    Processor: orders-groupBy-1 (stores: [])
      --> trends-repartition-sink
      <-- orders-joinGlobal-1
    Sink: trends-repartition-sink (topic: trends-repartition)
      <-- orders-groupBy-1

  Sub-topology: 1 for global store (will not generate tasks)
    Source: regions-source (topics: [regions])
      --> regions
    Processor: regions (stores: [regions])
      --> none
      <-- regions-source

  Sub-topology: 2
    Source: trends-repartition-source (topics: [trends-repartition])
      --> orders-aggregate-1
    Processor: orders-aggregate-1 (stores: [trends])
      --> trends-late-1, trends-toStream-1
      <-- trends-repartition-source
    Processor: trends-late-1 (stores: [])
      --> trends-to-1
      <-- orders-aggregate-1
    Sink: trends-to-1 (topic: late)
      <-- trends-late-1
    Processor: trends-toStream-1 (stores: [])
      --> trends-to-2
      <-- orders-aggregate-1
    Sink: trends-to-2 (extractor: a function)
      <-- trends-toStream-1

`
    assert.equal(jobs().build().describe(), description)
  })

  it('reads a moved stream through one repartition, and joins steps that share a store', () => {
    const { builder, orders } = ordersBuilder()
    const moved = orders.selectKey((o) => o.city)
    moved.groupByKey().count({ store: 'a' })
    moved.groupByKey().count({ store: 'b' })
    const other = builder.stream('other', { key: text, value: text })
    other.process(() => ({ process() {} }), { stores: ['a'] })
    builder.stream('alone', { key: text, value: text }).repartition({ name: 'spread' }).to('out')
    const description = builder.build().describe()
    assert.deepEqual(description.match(/Sink: \S+/g), [
      'Sink: a-repartition-sink',
      'Sink: spread-sink',
      'Sink: spread-to-1',
    ])
    assert.equal(description.match(/Sub-topology/g)?.length, 4)
  })

  it('draws itself', () => {
    const topology = jobs().build()
    const mermaid = topology.toMermaid().split('\n')
    for (const line of [
      'flowchart TD',
      '  subgraph sub1 ["Global table 1"]',
      '    n0(["orders"])',
      '  n3 -.-> n6',
      '  s1[("trends")]',
      '  n7 --- s1',
    ]) {
      assert.ok(mermaid.includes(line), line)
    }
    const dot = topology.toDot()
    assert.match(dot, /^digraph topology \{\n/)
    assert.match(dot, /n3 -> n6 \[style=dashed\]/)
    assert.equal(dot.match(/\{/g)?.length, dot.match(/\}/g)?.length)
  })

  it('escapes what a chart reserves', () => {
    const builder = new StreamsBuilder()
    builder.stream(/^"a\d"$/, { value: text }).to('out')
    assert.match(builder.build().toMermaid(), /#quot;a\\d#quot;/)
    assert.match(builder.build().toDot(), /\\"a\\\\d\\"/)
  })

  it('is data: nothing is lost to JSON, and no function is in it', () => {
    const json = jobs().build().toJSON() as any
    assert.deepEqual(JSON.parse(JSON.stringify(json)), json)
    const aggregate = json.nodes.find((node: any) => node.kind === 'aggregate')
    assert.deepEqual(aggregate.inputs, ['orders-groupBy-1'])
    assert.deepEqual(aggregate.ownStores, ['trends'])
    assert.equal(aggregate.windows.timeZone, 'Asia/Kolkata')
    assert.deepEqual(Object.keys(aggregate.spec.builtin.parts), ['n', 's'])
    assert.deepEqual(
      json.stores.map((store: any) => [store.name, store.kind]),
      [
        ['regions', 'keyValue'],
        ['trends', 'window'],
      ],
    )
  })

  it('has a hash of the plan, not of the code in it', () => {
    const build = (change: (orders: KStream<string | null, Order>, builder: StreamsBuilder) => void) => {
      const { builder, orders } = ordersBuilder()
      change(orders, builder)
      return builder.build().hash
    }
    const base = build((s) => s.filter((o) => o.total > 1))
    assert.match(base, /^[0-9a-f]{64}$/)
    assert.equal(
      build((s) => s.filter((o) => o.total > 2)),
      base,
    )
    const others = [
      build((s) => s.filterNot((o) => o.total > 1)),
      build((s) => s.filter((o) => o.total > 1, { name: 'large' })),
      build((s) => s.peek(() => {})),
      build((s) => s.groupByKey().count()),
      build((s) => s.groupByKey().count({ store: { ttl: 5 } })),
      build((s) => s.groupByKey().windowedBy(windows.count(5)).count()),
      build((s) => s.groupByKey().windowedBy(windows.count(6)).count()),
      build((s) => s.match(pattern<Order>().begin('a')).select(() => 1)),
      build((s) => s.match(pattern<Order>().begin('b')).select(() => 1)),
      build((s) => s.to('a')),
      build((s) => s.to('b')),
      build((_, builder) => builder.stream('x', { value: versioned(2) })),
      build((_, builder) => builder.stream('x', { value: versioned(3) })),
    ]
    assert.equal(new Set([base, ...others]).size, others.length + 1)
  })

  it('is frozen, and does not see what is added later', () => {
    const { builder, orders } = ordersBuilder()
    const topology = builder.build()
    orders.to('out')
    assert.equal(planOf(topology).nodes.length, 1)
    assert.equal(planOf(builder.build()).nodes.length, 2)
    assert.ok(Object.isFrozen(topology) && Object.isFrozen(planOf(topology).nodes[0]))
  })

  it('has a plan only if it was built here', () => {
    assert.throws(() => planOf({ ...jobs().build() }), refusal('DHAARA_OPTION', /expected a topology/))
  })

  it('of 300 steps builds and prints', () => {
    const { builder, orders } = ordersBuilder()
    let stream: KStream<string | null, Order> = orders
    for (let i = 0; i < 298; i++)
      stream = i % 3 === 0 ? stream.selectKey((o): string | null => o.id) : stream.filter(() => true)
    stream.to('out', { key: text })
    const topology = builder.build()
    assert.equal(planOf(topology).nodes.length, 300)
    assert.equal(topology.describe().match(/Processor: /g)?.length, 298)
    assert.equal(topology.toMermaid().match(/-->/g)?.length, 299)
    assert.equal(topology.toDot().match(/ -> /g)?.length, 299)
  })
})
