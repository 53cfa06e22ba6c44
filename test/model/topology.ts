// A shape's steps are typed by what they are at run time, so everything here is any.
// biome-ignore-all lint/suspicious/noExplicitAny: see above
import { every, serdes, StreamsBuilder, stores, type Topology, watermarks, windows } from '../../src/index.ts'
import {
  addOther,
  copies,
  copyPairs,
  folds,
  grouped,
  joined,
  keyFor,
  merge,
  numberOf,
  passes,
  plus,
  processor,
  reduceAdd,
  tallyReduce,
  tallySum,
} from './functions.ts'
import {
  type SessionShape,
  type Shape,
  type ShapeNode,
  storeName,
  type WatermarkShape,
  type WindowShape,
} from './shape.ts'

const key = serdes.string() as any
const value = serdes.json<any>() as any
const anyKey = serdes.json<any>() as any

/** The shape in the DSL. */
export function topologyOf(shape: Shape): Topology {
  const builder = new StreamsBuilder()
  const built: any[] = []
  for (const [i, node] of shape.nodes.entries()) built.push(step(builder, built, node, i, shape))
  return builder.build()
}

function step(builder: StreamsBuilder, built: any[], node: ShapeNode, i: number, shape: Shape): any {
  const of = 'of' in node ? built[node.of] : undefined
  const other = 'with' in node && node.with !== undefined ? built[node.with] : undefined
  const store = storeName(i)
  const kept = 'kept' in node && node.kept ? { store } : {}
  switch (node.op) {
    case 'stream':
      return builder.stream(node.topic, {
        key,
        value,
        watermark: watermarkOf(node.watermark),
        tombstones: node.tombstones as 'keep',
      })
    case 'table':
      return builder.table(node.topic, { key, value, store })
    case 'filter':
      return node.negate ? of.filterNot((v: any) => !passes(v, node.mod)) : of.filter((v: any) => passes(v, node.mod))
    case 'mapValues':
      return of.mapValues((v: any) => plus(v, node.plus))
    case 'map':
      return of.map((v: any) => [keyFor(v, node.keys), plus(v, 1)], { key, value })
    case 'selectKey':
      return of.selectKey((v: any) => keyFor(v, node.keys), { key, value })
    case 'flatMap':
      return of.flatMap((v: any, k: any) => copyPairs(v, k, node.copies), { key, value })
    case 'flatMapValues':
      return of.flatMapValues((v: any) => copies(v, node.copies))
    case 'merge':
      return of.merge(other)
    case 'split': {
      let split = of.split()
      for (const [n, mod] of node.mods.entries()) split = split.branch(`b${n}`, (v: any) => !passes(v, mod))
      return split.default('rest')
    }
    case 'branch':
      return of[`b${node.index}`] ?? of.rest
    case 'repartition':
      return of.repartition({ key, value })
    case 'process':
      return processStep(of, node, store)
    case 'sink':
      return of.to(node.topic, { key: anyKey, value })
    case 'toTable':
      return of.toTable({ store })
    case 'toStream':
      return of.toStream()
    case 'unwindow':
      return of.map((v: any, k: any) => [k.key, { at: k.window.start, v: numberOf(v) }], { key, value })
    case 'aggregate':
      return aggregateStep(built, node, store, shape.nodes[i + 1])
    case 'late':
      return (built[node.of] as { late: any }).late
    case 'tableFilter':
      return of.filter((v: any) => passes(v, node.mod), kept)
    case 'tableMap':
      return of.mapValues((v: any) => plus(v, node.plus), kept)
    case 'group':
      return of.groupBy((v: any) => grouped(v, node.keys), { key, value })
    case 'tally':
      if (node.fold === 'count') return of.count({ store })
      return node.fold === 'reduce'
        ? of.reduce(tallyReduce, { store })
        : of.aggregate(tallySum.init, { add: tallySum.add, subtract: tallySum.subtract }, { store })
    case 'tableJoin':
      return of[node.how === 'inner' ? 'join' : `${node.how}Join`](other, (l: any, r: any) => joined(l, r), kept)
    case 'lookup':
      return of[node.how === 'inner' ? 'join' : 'leftJoin'](other, (l: any, r: any) => joined(l, r), { key, value })
  }
}

function watermarkOf(shape: WatermarkShape): any {
  if (shape.kind === 'bounded') return watermarks.boundedOutOfOrderness(shape.bound)
  if (shape.kind === 'punctuated')
    return watermarks.punctuated((v: unknown, at) => (numberOf(v) % shape.every === 0 ? at : null))
  return watermarks[shape.kind]()
}

function processStep(of: any, node: Extract<ShapeNode, { op: 'process' }>, store: string): any {
  const counts = stores.keyValue(store, { key: serdes.string(), value: serdes.number() })
  const supplier = (ctx: any) => {
    const { process, onTimer } = processor(node.delay, node.valuesOnly, {
      count: (k) => ctx.store(counts).get(k),
      setCount: (k, n) => (n === undefined ? ctx.store(counts).delete(k) : ctx.store(counts).put(k, n)),
      setTimer: (k, at, name) => ctx.timers.set(k, at, name === undefined ? undefined : { name }),
      dropTimer: (k, name) => ctx.timers.delete(k, name),
      forward: (v, k, opts) => (node.valuesOnly ? ctx.forward(v, opts) : ctx.forward(v, k, opts)),
    })
    return { process: (v: any, k: any, record: any) => process(v, k, record.timestamp), onTimer }
  }
  const opts = { stores: [counts], key, value, name: `process-${store}` }
  return node.valuesOnly ? of.processValues(supplier, opts) : of.process(supplier, opts)
}

function frameOf(shape: WindowShape | SessionShape): any {
  if ('gap' in shape) return windows.session(shape.gap)
  const { size, advance } = shape
  return size === advance ? windows.tumbling(size) : windows.hopping(size, { advance })
}

function aggregateStep(
  built: any[],
  node: Extract<ShapeNode, { op: 'aggregate' }>,
  store: string,
  next: ShapeNode | undefined,
): any {
  const { fold, windows: shape } = node
  let group = built[node.of].groupByKey()
  const options = shape !== undefined && 'gap' in shape ? { store, merge } : { store }
  if (node.with !== undefined) {
    const { init, add } = folds[fold as 'sum']
    group = group.cogroup(init, add).cogroup(built[node.with].groupByKey(), addOther)
  }
  if (shape !== undefined) {
    const { grace, emit } = shape
    group = group.windowedBy(frameOf(shape).grace(grace)).emit(typeof emit === 'string' ? emit : every(emit.every))
  }
  let late: any
  if (next?.op === 'late') group = group.lateTo((stream: any) => (late = stream), { key, value })
  const table =
    node.with !== undefined
      ? group.aggregate(options)
      : fold === 'count'
        ? group.count(options)
        : fold === 'reduce'
          ? group.reduce(reduceAdd, options)
          : group.aggregate(folds[fold].init, folds[fold].add, options)
  return late === undefined ? table : Object.assign(Object.create(table), { late })
}
