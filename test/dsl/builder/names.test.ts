import assert from 'node:assert/strict'
import fc from 'fast-check'
import { allStores } from '../../../src/dsl/plan/own-stores.ts'
import { planOf } from '../../../src/dsl/topology/index.ts'
import { joinWindows, type KStream, StreamsBuilder, serdes, windows } from '../../../src/index.ts'
import { nodesOf, type Order, ordersBuilder } from '../plan.ts'

const names = (builder: StreamsBuilder) => nodesOf(builder).map((node) => node.name)
const storesOf = (builder: StreamsBuilder) => allStores(planOf(builder.build())).map((store) => store.name)

describe('names of steps', () => {
  it('are given, or anchor, operation and ordinal', () => {
    const { builder, orders } = ordersBuilder()
    orders
      .filter(() => true)
      .filter(() => true, { name: 'paid' })
      .peek(() => {})
      .groupByKey()
      .count()
    orders.groupByKey().count()
    assert.deepEqual(names(builder), [
      'orders',
      'orders-filter-1',
      'paid',
      'paid-peek-1',
      'paid-count-1',
      'orders-count-1',
    ])
  })

  it('go on from a given store, or a branch', () => {
    const { builder, orders } = ordersBuilder()
    orders.groupByKey().count({ store: 'totals' }).toStream()
    const { large } = orders
      .split()
      .branch('large', (o) => o.total > 5)
      .noDefault()
    large.filter(() => true)
    assert.deepEqual(names(builder).slice(1), [
      'orders-count-1',
      'totals-toStream-1',
      'orders-split-1',
      'orders-large',
      'orders-large-filter-1',
    ])
  })

  it('of branches are below a named split, and distinct', () => {
    const { builder, orders } = ordersBuilder()
    for (const opts of [{ name: 'risk' }, {}, {}])
      orders
        .split(opts)
        .branch('a', () => true)
        .noDefault()
    const branches = nodesOf(builder).filter((node) => node.kind === 'branch')
    assert.deepEqual(
      branches.map((node) => node.name),
      ['risk-a', 'orders-a', 'orders-a-2'],
    )
  })

  it('of sources come from their topics', () => {
    const builder = new StreamsBuilder()
    const value = serdes.string()
    builder.stream(['a', 'b'], { value })
    builder.stream(['c', 'd', 'e', 'f'], { value })
    builder.stream(/^logs-.*$/, { value })
    builder.stream('x', { value, name: 'named' })
    assert.deepEqual(names(builder), ['a-b', 'c-and-3-more', 'logs', 'named'])
  })

  it('say where the user wrote the step', () => {
    const { builder, orders } = ordersBuilder()
    orders.filter(() => true)
    const sites = nodesOf(builder).map((node) => node.site ?? '')
    assert.match(sites[0]!, /test\/dsl\/plan\.ts:\d+$/)
    assert.match(sites[1]!, /test\/dsl\/builder\/names\.test\.ts:\d+$/)
  })
})

describe('names of stores', () => {
  it('are given, or those of their steps', () => {
    const { builder, orders } = ordersBuilder()
    orders.groupByKey().count()
    orders.groupByKey().windowedBy(windows.tumbling('1h').noGrace()).count({ store: 'hourly', name: 'per-hour' })
    orders.groupByKey().count({ store: { name: 'third' } })
    assert.deepEqual(storesOf(builder), ['orders-count-1', 'hourly', 'third'])
  })

  /** A topology with every step that makes a store, and a place for stateless steps before each. */
  function topology(between: (stream: KStream<string | null, Order>) => KStream<string | null, Order>) {
    const { builder, orders, key } = ordersBuilder()
    const table = builder.table('customers', { key, value: serdes.json<Order>() })
    between(orders).groupByKey().count()
    between(orders)
      .groupBy((o) => o.city)
      .aggregate(
        () => 0,
        (n) => n,
      )
    between(orders)
      .groupByKey()
      .windowedBy(windows.sliding(5).noGrace())
      .reduce((a) => a)
    between(orders).join(between(orders), (a) => a, joinWindows.of(5).noGrace())
    between(orders).deduplicate((o) => o.id, { within: 5 })
    const rows = between(orders).toTable()
    rows.filter(() => true, { store: { backend: 'memory' } })
    rows.join(table, (a) => a)
    rows.groupBy((o) => [o.city, o]).count()
    between(orders).withBroadcast(between(orders), (o) => o)
    return builder
  }

  it('do not change when stateless steps are put in', () => {
    const steps: readonly ((s: KStream<string | null, Order>) => KStream<string | null, Order>)[] = [
      (s) => s.filter(() => true),
      (s) => s.mapValues((o) => o),
      (s) => s.peek(() => {}),
      (s) => s.merge(s),
      (s) => s.print(),
    ]
    const plain = storesOf(topology((stream) => stream))
    assert.ok(plain.length > 8)
    fc.assert(
      fc.property(fc.array(fc.nat(steps.length), { maxLength: 20 }), (picks) => {
        let i = 0
        const put = (stream: KStream<string | null, Order>) => steps[picks[i++ % picks.length] ?? 0]?.(stream) ?? stream
        assert.deepEqual(storesOf(topology(put)), plain)
      }),
      { numRuns: 30 },
    )
  })

  it('and hash are the same when one program builds twice', () => {
    const [a, b] = [topology((s) => s.filter(() => true)), topology((s) => s.filter(() => false))]
    assert.deepEqual(names(a), names(b))
    assert.equal(a.build().hash, b.build().hash)
  })
})
