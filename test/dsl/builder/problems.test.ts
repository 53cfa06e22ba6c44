import assert from 'node:assert/strict'
import {
  joinWindows,
  StreamsBuilder,
  serdes,
  stores,
  type TopologyError,
  untilTimeLimit,
  untilWindowCloses,
  watermarks,
  windows,
} from '../../../src/index.ts'
import { ordersBuilder, problemsOf, refusal } from '../plan.ts'

const text = serdes.string()

describe('DHAARA_NAME_TAKEN', () => {
  it('two steps', () => {
    const { builder, orders } = ordersBuilder()
    orders.filter(() => true, { name: 'x' }).peek(() => {}, { name: 'x' })
    assert.deepEqual(problemsOf(builder), ['DHAARA_NAME_TAKEN x'])
  })

  it('a derived name and a given one', () => {
    const { builder, orders } = ordersBuilder()
    orders.filter(() => true, { name: 'orders-filter-1' })
    orders.filter(() => true)
    assert.deepEqual(problemsOf(builder), ['DHAARA_NAME_TAKEN orders-filter-1'])
  })

  it('two stores of steps, of the builder, of both', () => {
    const { builder, orders } = ordersBuilder()
    const store = stores.keyValue('s', { key: text, value: text })
    builder.addStateStore(store)
    builder.addStateStore(store)
    assert.deepEqual(problemsOf(builder), [])
    orders.groupByKey().count({ store: 't' })
    orders.groupByKey().count({ store: 't' })
    orders.groupByKey().count({ store: 's' })
    builder.addStateStore(stores.list('s', { key: text, value: text }))
    assert.deepEqual(problemsOf(builder), [
      'DHAARA_NAME_TAKEN s',
      'DHAARA_NAME_TAKEN orders-count-2',
      'DHAARA_NAME_TAKEN orders-count-3',
    ])
  })

  it('a step and a store may share one', () => {
    const { builder, orders } = ordersBuilder()
    orders
      .filter(() => true, { name: 'x' })
      .groupByKey()
      .count({ store: 'x' })
    assert.deepEqual(problemsOf(builder), [])
  })

  it('two branches: from the call', () => {
    const { orders } = ordersBuilder()
    const split = orders.split().branch('a', () => true)
    assert.throws(() => split.default('a' as never), refusal('DHAARA_NAME_TAKEN', /branch name "a"/))
  })
})

describe('DHAARA_NAME_INVALID', () => {
  it('steps, stores, topics', () => {
    const { builder, orders } = ordersBuilder()
    orders.filter(() => true, { name: 'a b' })
    orders.groupByKey().count({ store: 'c/d' })
    orders.to('e f', { name: 'sink' })
    orders.peek(() => {}, { name: '' })
    builder.addStateStore(stores.keyValue('g h', { key: text, value: text }))
    builder.stream('..', { value: text, name: 'dots' })
    builder.stream([], { value: text, name: 'none' })
    assert.deepEqual(problemsOf(builder), [
      'DHAARA_NAME_INVALID a b',
      'DHAARA_NAME_INVALID orders-count-1',
      'DHAARA_NAME_INVALID sink',
      'DHAARA_NAME_INVALID ',
      'DHAARA_NAME_INVALID dots',
      'DHAARA_NAME_INVALID none',
      'DHAARA_NAME_INVALID g h',
    ])
  })

  it('leaves room for what internal topics put behind', () => {
    const { builder, orders } = ordersBuilder()
    orders.filter(() => true, { name: 'x'.repeat(237) })
    orders.to('t'.repeat(249), { name: 'sink' })
    assert.deepEqual(problemsOf(builder), [])
    orders.filter(() => true, { name: 'x'.repeat(238) })
    orders.to('t'.repeat(250), { name: 'other' })
    assert.equal(problemsOf(builder).length, 2)
  })
})

describe('DHAARA_NAME_MISSING', () => {
  it('every step with state, where naming is explicit', () => {
    const { builder, orders, key, value } = ordersBuilder()
    const rows = builder.table('rows', { key, value })
    orders.filter(() => true)
    orders.groupByKey().count()
    orders.groupByKey().count({ name: 'named' })
    orders.groupByKey().count({ store: 'kept' })
    orders.join(rows, (o) => o)
    const past = builder.table('past', { key, value, store: { name: 'past', kind: 'versioned', history: 5 } })
    orders.join(past, (o) => o, { grace: 5 })
    orders.join(orders, (o) => o, joinWindows.of(5).noGrace())
    rows.suppress(untilTimeLimit(5))
    rows.filter(() => true, { store: { backend: 'memory' } })
    assert.deepEqual(problemsOf(builder, { naming: 'explicit' }), [
      'DHAARA_NAME_MISSING orders-count-1',
      'DHAARA_NAME_MISSING orders-joinTable-2',
      'DHAARA_NAME_MISSING orders-join-1',
      'DHAARA_NAME_MISSING rows-suppress-1',
      'DHAARA_NAME_MISSING rows-filterRows-1',
    ])
    assert.deepEqual(problemsOf(builder), [])
  })
})

describe('DHAARA_SUPPRESS_WINDOWS', () => {
  it('windows that time does not close', () => {
    const { builder, orders } = ordersBuilder()
    const counted = (made: object) =>
      orders
        .groupByKey()
        .windowedBy(made as never)
        .count()
    counted(windows.count(3)).suppress(untilWindowCloses())
    counted(windows.unlimited())
      .filter(() => true)
      .suppress(untilWindowCloses())
    counted(windows.tumbling(5).noGrace()).suppress(untilWindowCloses())
    counted(windows.count(3)).suppress(untilTimeLimit(5))
    assert.deepEqual(problemsOf(builder), [
      'DHAARA_SUPPRESS_WINDOWS orders-suppress-1',
      'DHAARA_SUPPRESS_WINDOWS orders-suppress-2',
    ])
  })

  it('no windows at all, and sessions whose end nobody can tell', () => {
    const { builder, orders, key, value } = ordersBuilder()
    builder.table('rows', { key: serdes.windowed(key), value }).suppress(untilWindowCloses())
    const sessions = orders
      .groupByKey()
      .windowedBy(windows.session<{ total: number }, string>((o) => o.total).noGrace())
      .count()
    sessions.mapValues((n) => n + 1).suppress(untilWindowCloses(), { name: 'direct' })
    sessions
      .groupBy((n, k) => [k, n])
      .count()
      .suppress(untilWindowCloses(), { name: 'regrouped' })
    assert.deepEqual(problemsOf(builder), [
      'DHAARA_SUPPRESS_WINDOWS rows-suppress-1',
      'DHAARA_SUPPRESS_WINDOWS regrouped',
    ])
  })

  it('windows without a grace are named as such', () => {
    const { orders } = ordersBuilder()
    assert.throws(
      () => orders.groupByKey().windowedBy(windows.tumbling(5) as never),
      /Found windows without a grace; expected/,
    )
  })
})

describe('DHAARA_JOIN_WINDOWS', () => {
  it('a table of windows that time does not close, unless its rows are kept as the error says', () => {
    const { builder, orders } = ordersBuilder()
    const fulls = (name: string) => orders.groupByKey().windowedBy(windows.count(3)).count({ store: name })
    const kept = (name: string) => fulls(name).mapValues((n) => n, { store: { name: `${name}-rows`, retention: '1d' } })
    kept('a').join(kept('b'), (l, r) => l + r)
    assert.deepEqual(problemsOf(builder), [])
    fulls('c').join(kept('d'), (l, r) => l + r)
    assert.throws(
      () => builder.build(),
      /mapValues\(\(v\) => v, {store: {name: 'orders-count-3-rows', retention: '1d'}}\)/,
    )
  })
})

describe('DHAARA_STORE_VERSIONED', () => {
  it('grace with a table that keeps no past, or too little of it', () => {
    const { builder, orders, key, value } = ordersBuilder()
    const store = { kind: 'versioned', history: 10 } as const
    const plain = builder.table('plain', { key, value })
    const past = builder.table('past', { key, value, store })
    orders.join(plain, (o) => o, { name: 'none', grace: 5 })
    orders.join(past, (o) => o, { name: 'enough', grace: 10 })
    orders.join(past, (o) => o, { name: 'short', grace: 11 })
    const derived = past.filter(() => true).mapValues((o) => o.total)
    orders.join(derived, (o) => o, { name: 'derived', grace: 10 })
    orders.join(
      derived.filter(() => true, { store: 'kept' }),
      (o) => o,
      { name: 'lost', grace: 10 },
    )
    assert.deepEqual(
      problemsOf(builder),
      ['none', 'short', 'lost'].map((name) => `DHAARA_STORE_VERSIONED ${name}`),
    )
  })

  it('on a step that cannot keep it', () => {
    const { builder, orders } = ordersBuilder()
    const store = { kind: 'versioned', history: 10 } as const
    const counted = orders.groupByKey().count({ name: 'counted', store })
    orders.toTable({ store })
    counted.suppress(untilTimeLimit(5), { name: 'suppressed', store })
    assert.deepEqual(problemsOf(builder), ['DHAARA_STORE_VERSIONED suppressed'])
  })
})

describe('DHAARA_SERDE_MISSING', () => {
  it('a source without options', () => {
    const builder = new StreamsBuilder()
    builder.stream('orders', undefined as never).to('copy')
    assert.deepEqual(
      new Set(problemsOf(builder)),
      new Set(['DHAARA_SERDE_MISSING orders', 'DHAARA_SERDE_MISSING orders-to-1']),
    )
  })

  it('at sources', () => {
    const builder = new StreamsBuilder()
    builder.stream('a', {} as never)
    builder.table('b', { value: text } as never)
    assert.deepEqual(problemsOf(builder), ['DHAARA_SERDE_MISSING a', 'DHAARA_SERDE_MISSING b'])
  })

  it('at sinks, where the steps before have lost it', () => {
    const { builder, orders } = ordersBuilder()
    orders
      .filter(() => true)
      .peek(() => {})
      .to('kept')
    orders.mapValues((o) => o.total).to('value')
    orders.selectKey((o) => o.city).to('key')
    orders.map((o) => [o.city, o.total]).to('both')
    orders.map((o) => [o.city, o.total], { key: text, value: serdes.number() }).to('given')
    orders.selectKey((o) => o.city).to((o) => o.city, { key: text })
    assert.deepEqual(problemsOf(builder), [
      'DHAARA_SERDE_MISSING orders-to-2',
      'DHAARA_SERDE_MISSING orders-to-3',
      'DHAARA_SERDE_MISSING orders-to-4',
      'DHAARA_SERDE_MISSING orders-to-4',
    ])
  })

  it('bytes stay bytes: a source without key serde needs none at the sink', () => {
    const builder = new StreamsBuilder()
    const lines = builder.stream('lines', { value: text })
    lines
      .filter(() => true)
      .merge(builder.stream('more', { value: text }))
      .to('out', { value: text })
    assert.deepEqual(problemsOf(builder), [])
    lines.merge(ordersBuilderStream(builder)).to('mixed', { value: serdes.json() })
    assert.deepEqual(problemsOf(builder), ['DHAARA_SERDE_MISSING lines-to-2'])
  })
  const ordersBuilderStream = (builder: StreamsBuilder) => builder.stream('keyed', { key: text, value: text })

  it('a windowed key is not the key in it', () => {
    const { builder, orders } = ordersBuilder()
    const counts = orders.groupByKey().windowedBy(windows.tumbling('1h').noGrace()).count()
    counts
      .toStream()
      .filter(() => true)
      .to('out', { value: serdes.number() })
    assert.throws(() => builder.build(), refusal('DHAARA_TOPOLOGY', /serdes\.windowed\(serdes\.string\(\)\)/))
  })
})

describe('DHAARA_STORE_UNKNOWN', () => {
  it('of processors', () => {
    const { builder, orders } = ordersBuilder()
    orders.groupByKey().count({ store: 'counts' })
    orders.process(() => ({ process() {} }), { stores: ['counts', 'conts'] })
    assert.throws(
      () => builder.build(),
      refusal('DHAARA_TOPOLOGY', /'conts' in \{stores\}, expected one .* \(counts\)/),
    )
  })

  it('of tables that keep no rows', () => {
    const { builder, key, value } = ordersBuilder()
    const rows = builder.table('rows', { key, value })
    assert.equal(rows.store.name, 'rows')
    assert.equal(rows.filter(() => true, { store: 'kept' }).store.name, 'kept')
    assert.throws(
      () => rows.filter(() => true).store,
      refusal('DHAARA_STORE_UNKNOWN', /give its step \{store: 'name'\}/),
    )
  })
})

describe('DHAARA_TOPIC_TWICE', () => {
  it('a source with the same options is the same source', () => {
    const { builder, key, value } = ordersBuilder()
    builder.stream('orders', { key, value }).to('out')
    assert.deepEqual(problemsOf(builder), [])
    assert.equal(
      builder
        .build()
        .describe()
        .match(/Source:/g)?.length,
      1,
    )
  })

  it('other options, other kinds, patterns that match', () => {
    const { builder, key, value } = ordersBuilder()
    builder.stream('orders', { key, value, tombstones: 'keep' })
    builder.table('orders', { key, value, name: 'as-table' })
    builder.stream(['x', 'orders'], { key, value })
    builder.stream(/^ord/, { key, value, name: 'pattern' })
    builder.stream('orders', { key, value, watermark: watermarks.none() })
    assert.deepEqual(problemsOf(builder), [
      'DHAARA_TOPIC_TWICE orders-2',
      'DHAARA_TOPIC_TWICE as-table',
      'DHAARA_TOPIC_TWICE x-orders',
      'DHAARA_TOPIC_TWICE pattern',
      'DHAARA_TOPIC_TWICE orders-3',
    ])
  })
})

describe('DHAARA_TABLE_TOPICS', () => {
  it('a table over a pattern, or several topics', () => {
    const { builder, key, value } = ordersBuilder()
    builder.table(/^a/ as never, { key, value, name: 'pattern' })
    builder.globalTable(['b', 'c'] as never, { key, value, name: 'several' })
    assert.deepEqual(problemsOf(builder), ['DHAARA_TABLE_TOPICS pattern', 'DHAARA_TABLE_TOPICS several'])
  })
})

describe('problems', () => {
  it('come all at once, with code, step, cure and place', () => {
    const { builder, orders } = ordersBuilder()
    orders
      .filter(() => true, { name: 'a b' })
      .mapValues((o) => o.total)
      .to('out')
    orders.process(() => ({ process() {} }), { stores: ['none'] })
    assert.throws(
      () => builder.build(),
      (error: TopologyError) => {
        assert.equal(error.code, 'DHAARA_TOPOLOGY')
        const codes = error.problems.map((p) => p.code)
        assert.deepEqual(codes, [
          'DHAARA_NAME_INVALID',
          'DHAARA_NAME_INVALID',
          'DHAARA_NAME_INVALID',
          'DHAARA_SERDE_MISSING',
          'DHAARA_STORE_UNKNOWN',
        ])
        for (const { message } of error.problems)
          assert.match(message, /found .*, expected .*\[.*problems\.test\.ts:\d+\]$/)
        return true
      },
    )
  })

  it('what comes from another builder is refused at the call', () => {
    const [a, b] = [ordersBuilder(), ordersBuilder()]
    assert.throws(() => a.orders.merge(b.orders), refusal('DHAARA_OPTION', /of another StreamsBuilder/))
  })
})
