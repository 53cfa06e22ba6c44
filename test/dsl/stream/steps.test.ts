import assert from 'node:assert/strict'
import {
  AfterMatchSkip,
  aggregators,
  count,
  every,
  joinWindows,
  pattern,
  serdes,
  stores,
  sum,
  windows,
} from '../../../src/index.ts'
import { nodesOf, type Order, only, ordersBuilder, problemsOf, refusal } from '../plan.ts'

const text = serdes.string()
const number = serdes.number()

describe('stream steps', () => {
  it('keep serdes where they keep values', () => {
    const { builder, orders, key, value } = ordersBuilder()
    const { rest } = orders
      .filter(() => true)
      .peek(() => {})
      .split()
      .default('rest')
    rest
      .filterNot(() => false)
      .print()
      .repartition()
      .deduplicate((o) => o.id, { within: 5 })
      .forEach(() => {})
    for (const node of nodesOf(builder)) assert.deepEqual([node.key, node.value], [key, value], node.name)
  })

  it('take serdes where they change them', () => {
    const { builder, orders, key } = ordersBuilder()
    orders.mapValues((o) => o.total, { value: number })
    orders.flatMapValues((o) => [o.total])
    orders.flatMap((o) => [[o.city, o.total]], { key: text })
    const [, a, b, c] = nodesOf(builder)
    assert.deepEqual([a?.key, a?.value, b?.key, b?.value], [key, number, key, undefined])
    assert.deepEqual([c?.key, c?.value], [text, undefined])
  })

  it('filterNot is a filter', () => {
    const { builder, orders } = ordersBuilder()
    const fn = () => true
    orders.filterNot(fn)
    const node = only(builder, 'filter')
    assert.deepEqual([node.fn, node.negate, node.table], [fn, true, false])
  })

  it('merge keeps what both sides have', () => {
    const { builder, orders, value } = ordersBuilder()
    orders.merge(builder.stream('more', { key: text, value }))
    const node = only(builder, 'merge')
    assert.deepEqual([node.value, node.inputs.map((i) => i.name)], [value, ['orders', 'more']])
  })

  it('split', () => {
    const { builder, orders } = ordersBuilder()
    const [a, b] = [() => true, () => false]
    assert.deepEqual(Object.keys(orders.split().branch('a', a).branch('b', b).default('c')), ['a', 'b', 'c'])
    assert.deepEqual(only(builder, 'split').predicates, [a, b])
    assert.deepEqual(
      nodesOf(builder).flatMap((n) => (n.kind === 'branch' ? [n.index] : [])),
      [0, 1, 2],
    )
  })

  it('to', () => {
    const { builder, orders } = ordersBuilder()
    const topic = (o: Order) => o.city
    const partitioner = () => 0
    orders.to(topic, { partitioner, headers: () => ({}) })
    const node = only(builder, 'sink')
    assert.deepEqual([node.topic, node.partitioner, typeof node.headers], [topic, partitioner, 'function'])
  })

  it('repartition', () => {
    const { builder, orders } = ordersBuilder()
    orders.repartition({ partitions: 8, name: 'spread' })
    assert.deepEqual([only(builder, 'repartition').partitions, only(builder, 'repartition').named], [8, true])
    assert.throws(() => orders.repartition({ partitions: 0 }), refusal('DHAARA_OPTION', /partitions: found 0/))
  })

  it('groupBy selects a key, groupByKey makes a node for its options only', () => {
    const { builder, orders } = ordersBuilder()
    orders.groupByKey().count()
    orders.groupByKey({ key: text, name: 'by-key' }).count()
    orders.groupBy((o) => o.city, { key: text }).count()
    const aggregates = nodesOf(builder).filter((node) => node.kind === 'aggregate')
    assert.deepEqual(
      aggregates.map((node) => node.inputs[0]?.kind),
      ['source', 'group', 'selectKey'],
    )
    assert.deepEqual([aggregates[1]?.name, aggregates[2]?.key], ['by-key-count-1', text])
  })

  it('joins read their arguments by what the other side is', () => {
    const { builder, orders, key, value } = ordersBuilder()
    const rows = builder.table('rows', { key, value, store: { kind: 'versioned', history: '1m' } })
    const all = builder.globalTable('all', { key, value })
    const [joiner, lookup] = [() => 1, (o: Order) => o.city]
    orders.join(all, lookup, joiner)
    orders.leftJoin(rows, joiner, { grace: '5s' })
    orders.outerJoin(orders, joiner, joinWindows.of(7).grace(1), { store: 'both' })
    const { how, lookup: found, joiner: j } = only(builder, 'streamGlobalJoin')
    assert.deepEqual([how, found, j], ['inner', lookup, joiner])
    const table = only(builder, 'streamTableJoin')
    assert.deepEqual([table.how, table.grace, table.left], ['left', 5000, value])
    const stream = only(builder, 'streamJoin')
    assert.deepEqual(
      [stream.how, stream.windows, stream.store.name],
      ['outer', { before: 7, after: 7, grace: 1 }, 'both'],
    )
  })

  it('joins refuse the wrong side', () => {
    const { builder, orders, key, value } = ordersBuilder()
    const rows = builder.table('rows', { key, value })
    assert.throws(
      () => orders.outerJoin(rows as never, () => 1, joinWindows.of(5).noGrace()),
      refusal('DHAARA_OPTION', /outerJoin: found a table, expected a stream/),
    )
    assert.throws(
      () => orders.join({} as never, () => 1, joinWindows.of(5).noGrace()),
      refusal('DHAARA_OPTION', /found an object/),
    )
    assert.throws(
      () => orders.join(orders, () => 1, joinWindows.of(5) as never),
      refusal('DHAARA_OPTION', /with a grace/),
    )
  })

  it('process brings its stores into the plan', () => {
    const { builder, orders, key, value } = ordersBuilder()
    const rows = builder.table('rows', { key, value })
    const spent = stores.keyValue('spent', { key: text, value: number })
    orders.process(() => ({ process() {} }), { stores: [spent, rows.store, 'rows'] })
    orders.processValues(() => ({ process() {} }))
    const [first, second] = nodesOf(builder).filter((node) => node.kind === 'process')
    assert.deepEqual([first?.stores, first?.valuesOnly, first?.key], [['spent', 'rows', 'rows'], false, undefined])
    assert.deepEqual([second?.valuesOnly, second?.key], [true, key])
  })

  it('mapAsync', () => {
    const { builder, orders } = ordersBuilder()
    orders.mapAsync(async (o) => o, { timeout: '2s', retry: { attempts: 5 }, breaker: { failures: 3 }, ordered: false })
    const node = only(builder, 'mapAsync')
    assert.deepEqual([node.concurrency, node.ordered, node.timeout], [16, false, 2000])
    assert.deepEqual(node.retry, { attempts: 5, backoff: 100, maxBackoff: 10_000, jitter: true })
    assert.deepEqual(node.breaker, { failures: 3, share: 0.5, over: 10_000, openFor: 30_000 })
    assert.throws(
      () => orders.mapAsync(async (o) => o, { ordered: 'some' as never }),
      refusal('DHAARA_OPTION', /ordered/),
    )
    assert.throws(() => orders.mapAsync(async (o) => o, { breaker: { share: 2 } }), refusal('DHAARA_OPTION', /share/))
  })

  it('withBroadcast', () => {
    const { builder, orders, value } = ordersBuilder()
    orders.withBroadcast(builder.stream('rules', { key: text, value: number }), (o) => o)
    const node = only(builder, 'broadcast')
    assert.deepEqual([node.rulesKey, node.rulesValue, node.inputs.length], [text, number, 2])
    assert.notEqual(node.value, value)
  })

  it('deduplicate', () => {
    const { builder, orders } = ordersBuilder()
    orders.deduplicate((o) => o.id, { within: '1h', keep: 'latest', store: 'seen' })
    const node = only(builder, 'deduplicate')
    assert.deepEqual([node.within, node.keep, node.store.name], [3_600_000, 'latest', 'seen'])
    assert.throws(() => orders.deduplicate((o) => o.id, {} as never), refusal('DHAARA_DURATION', /within/))
  })

  it('refuse what is no function', () => {
    const { orders } = ordersBuilder()
    assert.throws(
      () => orders.filter(undefined as never),
      refusal('DHAARA_OPTION', /filter: found undefined; expected a function/),
    )
    assert.throws(() => orders.to(5 as never), refusal('DHAARA_OPTION', /to: found 5/))
  })

  it('a stream is no promise', async () => {
    const { orders } = ordersBuilder()
    assert.equal(await orders, orders)
  })
})

describe('aggregations', () => {
  it('count, reduce, aggregate', () => {
    const { builder, orders } = ordersBuilder()
    const [fn, init, add, merge] = [(a: Order) => a, () => 0, (n: number) => n, (a: number) => a]
    const grouped = orders.groupByKey()
    grouped.count({ twoPhase: true })
    grouped.reduce(fn, { associative: true })
    grouped.aggregate(init, add, { merge, pure: true, value: number })
    const [a, b, c] = nodesOf(builder).filter((node) => node.kind === 'aggregate')
    assert.deepEqual([a?.spec.kind, a?.twoPhase, a?.emit, a?.windows], ['count', true, { mode: 'update' }, undefined])
    assert.deepEqual([b?.spec.adders, b?.spec.merge, b?.spec.mergeable], [[fn], fn, true])
    assert.deepEqual(c?.spec, { kind: 'aggregate', init, adders: [add], merge, mergeable: true, pure: true })
    assert.equal(c?.store.value, number)
  })

  it('the serde of a result is not that of the state', () => {
    const { builder, orders } = ordersBuilder()
    const value = serdes.json<{ readonly s: number }>()
    orders.groupByKey().aggregate(aggregators({ s: sum((o) => o.total) }), { value })
    assert.deepEqual([only(builder, 'aggregate').value, only(builder, 'aggregate').store.value], [value, undefined])
  })

  it('windows and their stores', () => {
    const { builder, orders } = ordersBuilder()
    const grouped = orders.groupByKey()
    grouped.windowedBy(windows.tumbling('1h').grace('5m'), { name: 'hourly' }).emit('close').count()
    grouped
      .windowedBy((w) => w.session('5s').noGrace())
      .emit(every('1s'))
      .aggregate(count())
    const [a, b] = nodesOf(builder).filter((node) => node.kind === 'aggregate')
    assert.deepEqual([a?.name, a?.store.kind, a?.emit, a?.key], ['hourly', 'window', { mode: 'close' }, undefined])
    assert.deepEqual([b?.store.kind, b?.emit.mode, b?.windows?.kind], ['session', 'every', 'session'])
  })

  it('sessions need merge, and have it from a reduce', () => {
    const { builder, orders } = ordersBuilder()
    const sessions = orders.groupByKey().windowedBy(windows.session('5s').noGrace())
    assert.throws(
      () =>
        sessions.aggregate(
          () => 0,
          (n) => n,
          {} as never,
        ),
      refusal('DHAARA_OPTION', /found no merge/),
    )
    const fn = (a: Order) => a
    sessions.reduce(fn)
    assert.deepEqual([only(builder, 'aggregate').spec.merge, only(builder, 'aggregate').spec.mergeable], [fn, false])
  })

  it('late records go to a topic, or a stream, once', () => {
    const { builder, orders, key, value } = ordersBuilder()
    const seen: unknown[] = []
    const windowed = orders
      .groupByKey()
      .windowedBy(windows.tumbling('1h').noGrace())
      .lateTo('late', { name: 'tardy' })
      .lateTo((late) => seen.push(late))
    windowed.count({ store: 'counts' })
    windowed.reduce((a) => a)
    const lates = nodesOf(builder).filter((node) => node.kind === 'late')
    assert.deepEqual(
      lates.map((node) => node.name),
      ['tardy', 'counts-late-1'],
    )
    assert.deepEqual([lates[0]?.key, lates[0]?.value, lates[0]?.table, seen.length], [key, value, false, 1])
    assert.deepEqual([only(builder, 'sink').topic, only(builder, 'sink').inputs[0]], ['late', lates[0]])
    const endless = orders.groupByKey().windowedBy(windows.count(5))
    assert.throws(() => endless.lateTo('late' as never), refusal('DHAARA_OPTION', /found count windows/))
    assert.throws(() => endless.emit('close' as never), refusal('DHAARA_OPTION', /found "close"/))
  })

  it('cogroup has an adder an input', () => {
    const { builder, orders } = ordersBuilder()
    const payments = builder.stream('payments', { key: text, value: number })
    const [init, a, b] = [() => 0, (n: number) => n, (n: number) => n + 1]
    const both = orders.groupByKey().cogroup(init, a).cogroup(payments.groupByKey(), b)
    both.aggregate({ store: 'accounts' })
    both
      .windowedBy(windows.hopping('15m', { advance: '5m' }).noGrace())
      .emit('close')
      .aggregate()
    const [plain, windowed] = nodesOf(builder).filter((node) => node.kind === 'aggregate')
    assert.deepEqual(
      [plain?.inputs.map((i) => i.name), plain?.spec.adders],
      [
        ['orders', 'payments'],
        [a, b],
      ],
    )
    assert.deepEqual(
      [windowed?.windows?.kind, windowed?.emit.mode, windowed?.spec.adders.length],
      ['hopping', 'close', 2],
    )
    assert.throws(
      () =>
        orders
          .groupByKey()
          .cogroup(init, a)
          .cogroup({} as never, b),
      refusal('DHAARA_OPTION', /groupByKey/),
    )
  })
})

describe('match', () => {
  const large = pattern<Order>()
    .begin('large')
    .where((o) => o.total > 5)

  it('is made by select', () => {
    const { builder, orders, value } = ordersBuilder()
    const select = () => 1
    orders
      .match(large, { skip: AfterMatchSkip.pastLastEvent(), maxPartials: 10, store: 'runs' })
      .late('late')
      .select(select, { timedOut: () => 2 })
    const node = only(builder, 'match')
    assert.deepEqual([Object.keys(node.patterns), node.tagged, node.skip.kind], [[''], false, 'pastLastEvent'])
    assert.deepEqual([node.maxPartials, node.whenFull, node.time, node.events], [10, 'fail', 'event', value])
    assert.deepEqual([node.select, node.flat, node.timedOut?.(), node.store.name], [select, false, 2, 'runs'])
    assert.equal(only(builder, 'late').inputs[0], node)
  })

  it('takes a function, or several patterns', () => {
    const { builder, orders } = ordersBuilder()
    orders
      .groupByKey()
      .match((p) => p.begin('x'))
      .flatSelect(() => [1])
    orders.match({ a: large, b: large }).select((m) => m.pattern)
    const [a, b] = nodesOf(builder).filter((node) => node.kind === 'match')
    assert.deepEqual([a?.flat, a?.tagged, b?.tagged, Object.keys(b?.patterns ?? {})], [true, false, true, ['a', 'b']])
    assert.deepEqual(problemsOf(builder), [])
    assert.throws(() => orders.match({}), refusal('DHAARA_OPTION', /without patterns/))
    assert.throws(() => orders.match(5 as never), refusal('DHAARA_OPTION', /expected a pattern/))
  })
})
