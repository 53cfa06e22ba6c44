import assert from 'node:assert/strict'
import { aggregators, count, max, serdes, sum, untilTimeLimit, untilWindowCloses, windows } from '../../../src/index.ts'
import { nodesOf, type Order, only, ordersBuilder, refusal } from '../plan.ts'

function rowsBuilder() {
  const { builder, orders, key, value } = ordersBuilder()
  return { builder, orders, key, value, rows: builder.table('rows', { key, value }) }
}

describe('tables', () => {
  it('sources keep their rows', () => {
    const { builder, key, value } = ordersBuilder()
    builder.table('rows', { key, value, store: { kind: 'versioned', history: '1h' } })
    builder.globalTable('all', { key, value, store: 'everywhere' })
    const [rows, all] = nodesOf(builder).flatMap((node) => (node.kind === 'source' && node.table ? [node] : []))
    assert.deepEqual([rows?.store?.name, rows?.store?.kind, rows?.global], ['rows', 'versioned', false])
    assert.deepEqual(
      [all?.store?.name, all?.global, all?.nullKeys, all?.tombstones],
      ['everywhere', true, 'drop', 'keep'],
    )
  })

  it('steps keep rows where they are asked to', () => {
    const { builder, rows } = rowsBuilder()
    rows.filter(() => true)
    rows.filterNot(() => true, { store: 'kept' })
    rows.mapValues((o) => o.total)
    rows.transformValues(() => ({ transform: (o) => o }), { stores: [rows.store] })
    const [, , a, b, c, d] = nodesOf(builder)
    const stores = [a, b, c, d].map((node) => (node && 'store' in node ? node.store?.name : undefined))
    assert.deepEqual(stores, [undefined, 'kept', undefined, undefined])
    assert.ok([a, b, c, d].every((node) => node?.table))
    assert.ok(d?.kind === 'transformValues' && d.stores[0] === 'rows')
  })

  it('rows of windows are kept in window stores', () => {
    const { builder, orders } = ordersBuilder()
    const counts = orders.groupByKey().windowedBy(windows.session('5s').noGrace()).count()
    assert.equal(counts.store.kind, 'session')
    assert.equal(counts.filter(() => true).mapValues((n) => n, { store: 'doubled' }).store.kind, 'session')
    builder.build()
  })

  it('toStream and toTable', () => {
    const { builder, rows, value } = rowsBuilder()
    const table = rows.toStream().toTable({ store: { ttl: '1h' } })
    assert.equal(table.store.kind, 'keyValue')
    assert.deepEqual([only(builder, 'toStream').table, only(builder, 'toTable').store.ttl], [false, 3_600_000])
    assert.equal(only(builder, 'toTable').value, value)
  })

  it('joins of equal keys, and by a foreign key', () => {
    const { builder, rows, key, value } = rowsBuilder()
    const other = builder.table('other', { key, value })
    const [joiner, foreignKey] = [() => 1, (o: Order) => o.city]
    rows.outerJoin(other, joiner, { store: 'both' })
    rows.leftJoin(other, foreignKey, joiner)
    const plain = only(builder, 'tableJoin')
    assert.deepEqual([plain.how, plain.joiner, plain.store?.name], ['outer', joiner, 'both'])
    const foreign = only(builder, 'foreignJoin')
    assert.deepEqual([foreign.how, foreign.foreignKey, foreign.joiner], ['left', foreignKey, joiner])
    assert.equal(foreign.store?.name, 'rows-leftJoinForeign-1')
  })

  it('grouped tables take rows out again', () => {
    const { builder, rows } = rowsBuilder()
    const fns = { add: (n: number) => n, subtract: (n: number) => n }
    const grouped = rows.groupBy((o) => [o.city, o.total])
    grouped.count()
    grouped.reduce(fns)
    grouped.aggregate(() => 0, fns)
    grouped.aggregate(aggregators({ n: count(), s: sum((n) => n) }))
    grouped.topN(3, (n) => n)
    const specs = nodesOf(builder).flatMap((node) => (node.kind === 'tableAggregate' ? [node.spec] : []))
    assert.deepEqual(
      specs.map((spec) => spec.kind),
      ['count', 'reduce', 'aggregate', 'aggregate', 'aggregate'],
    )
    assert.ok(specs.every((spec) => spec.subtract))
    assert.throws(
      () => grouped.aggregate(max((n: number) => n) as never),
      refusal('DHAARA_OPTION', /found max, which cannot/),
    )
    assert.throws(() => grouped.reduce({ add: fns.add } as never), refusal('DHAARA_OPTION', /reduce subtract/))
  })

  it('suppress', () => {
    const { builder, rows, orders } = rowsBuilder()
    rows.suppress(untilTimeLimit('2s', { maxBytes: 9 }))
    orders
      .groupByKey()
      .windowedBy(windows.tumbling('1h').noGrace())
      .count()
      .suppress(untilWindowCloses({ whenFull: 'spill' }), { store: 'final' })
    const [a, b] = nodesOf(builder).flatMap((node) => (node.kind === 'suppress' ? [node] : []))
    assert.deepEqual(a?.policy, { until: 'time', limit: 2000, maxBytes: 9, whenFull: 'emitEarly' })
    assert.deepEqual([a?.buffer.name, a?.store], ['rows-suppress-1-buffer', undefined])
    assert.deepEqual(
      [b?.policy, b?.buffer.kind, b?.store?.name],
      [{ until: 'close', whenFull: 'spill' }, 'window', 'final'],
    )
    assert.throws(() => rows.suppress({} as never), refusal('DHAARA_OPTION', /expected untilWindowCloses/))
    assert.throws(() => untilWindowCloses({ whenFull: 'emitEarly' as never }), refusal('DHAARA_OPTION', /whenFull/))
  })

  it('a windowed key needs its serde said', () => {
    const { builder, orders } = ordersBuilder()
    const counts = orders.groupByKey().windowedBy(windows.tumbling('1h').noGrace()).count({ value: serdes.number() })
    counts.toStream().to('out', { key: serdes.windowed(serdes.string()) })
    assert.equal(only(builder, 'sink').topic, 'out')
  })
})
