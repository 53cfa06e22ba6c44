import { type Cut, cut, ofRows, type Repartition } from './cut.ts'
import { copies, copyPairs, joined, keyFor, numberOf, passes, plus } from './functions.ts'
import { Processing } from './process.ts'
import { isTable, type Shape, type ShapeNode, type WatermarkShape } from './shape.ts'
import {
  Aggregate,
  derived,
  type Item,
  type Key,
  regroup,
  type Row,
  type Stateful,
  Table,
  TableJoin,
  Tally,
} from './steps.ts'
import { TaskTime } from './time.ts'
import { SessionWindows } from './sessions.ts'
import { Windows } from './windows.ts'

export interface Sent {
  readonly topic: string
  readonly key: string | null
  readonly value: unknown
  readonly timestamp: number
  readonly headers: Readonly<Record<string, string>>
}

export interface Result {
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
  readonly headers: Readonly<Record<string, string>>
}

interface Waiting {
  readonly item: Item
  /** The producer's W when it was sent. */
  readonly w: number
}

/**
 * Runs a shape record by record, on one partition, with nothing but Maps: what TIME.md and API.md say, as slowly as need be.
 * A record is processed with the W before it; then W moves; then timers fire; then the next task has its turn.
 */
export class Model {
  readonly outputs = new Map<string, Result[]>()
  private readonly shape: Shape
  private readonly cut: Cut
  private readonly times: TaskTime[]
  private readonly steps = new Map<number, Stateful>()
  private readonly queues = new Map<Repartition, Waiting[]>()

  constructor(shape: Shape) {
    this.shape = shape
    this.cut = cut(shape)
    this.times = this.cut.tasks.map(({ sources, repartitions }) => {
      const rows = (i: number) => isTable(shape.nodes[i] as ShapeNode)
      const streams = sources.some((i) => !rows(i)) || repartitions.some((one) => !ofRows(shape, one))
      const time = new TaskTime()
      for (const source of sources) time.add(source, !rows(source) || !streams)
      for (const one of repartitions) time.add(one, !ofRows(shape, one) || !streams)
      return time
    })
    for (const [i, node] of shape.nodes.entries()) this.make(i, node)
  }

  send({ topic, key, value, timestamp: ts, headers }: Sent): void {
    for (const [i, node] of this.shape.nodes.entries()) {
      if ((node.op !== 'stream' && node.op !== 'table') || node.topic !== topic) continue
      const time = this.timeOf(i)
      const dropped = node.op === 'stream' && node.tombstones === 'drop' && value === null
      if (!dropped) this.arrive(i, { key, value, ts, headers }, 0)
      time.raise(i, watermark(node.op === 'stream' ? node.watermark : { kind: 'monotonous' }, value, ts))
      time.sweep()
    }
    this.rest()
  }

  /** Moves a source's W by hand. */
  advance(topic: string, to: number): void {
    for (const [i, node] of this.shape.nodes.entries())
      if ('topic' in node && node.topic === topic && node.op !== 'sink') this.timeOf(i).raise(i, to)
    this.rest()
  }

  end(): void {
    for (const [i, node] of this.shape.nodes.entries())
      if (node.op === 'stream' || node.op === 'table') this.timeOf(i).raise(i, Number.POSITIVE_INFINITY)
    this.rest()
  }

  output(topic: string): Result[] {
    return this.outputs.get(topic) ?? []
  }

  rowsOf(node: number): Row[] {
    return this.steps.get(node)?.rows() ?? []
  }

  get late(): number {
    let late = 0
    for (const step of this.steps.values())
      if (step instanceof Windows || step instanceof SessionWindows) late += step.late
    return late
  }

  /** Tasks behind repartitions, until nothing waits: of what waits for a task the lowest timestamp first. */
  private rest(): void {
    const time = (task: number) => this.times[task] as TaskTime
    for (let moved = true; moved; ) {
      moved = false
      for (const [task, { repartitions }] of this.cut.tasks.entries()) {
        for (const one of repartitions)
          if (this.queueOf(one).length === 0 && time(task).raise(one, this.timeOf(one.from).w)) moved = true
        const heads = repartitions.filter((one) => this.queueOf(one).length > 0)
        heads.sort((a, b) => (this.queueOf(a)[0]?.item.ts ?? 0) - (this.queueOf(b)[0]?.item.ts ?? 0))
        const [best] = heads
        if (best !== undefined) {
          const { item, w } = this.queueOf(best).shift() as Waiting
          time(task).raise(best, w)
          for (const { to, port } of best.readers) this.arrive(to, item, port)
          time(task).sweep()
          moved = true
        }
      }
    }
  }

  private queueOf(repartition: Repartition): Waiting[] {
    let queue = this.queues.get(repartition)
    if (queue === undefined) {
      queue = []
      this.queues.set(repartition, queue)
    }
    return queue
  }

  private timeOf(node: number): TaskTime {
    return this.times[this.cut.taskOf[node] as number] as TaskTime
  }

  /** Hands a step's result to all that read it. */
  private emit(from: number, item: Item): void {
    for (const way of this.cut.ways[from] ?? []) {
      if ('to' in way) {
        if (this.shape.nodes[way.to]?.op !== 'late') this.arrive(way.to, item, way.port)
      } else this.queueOf(way.repartition).push({ item: structuredClone(item), w: this.timeOf(from).w })
    }
  }

  private make(i: number, node: ShapeNode): void {
    const out = (item: Item) => this.emit(i, item)
    const keep = (step: Stateful) => this.steps.set(i, step)
    if (node.op === 'table' || node.op === 'toTable') keep(new Table(out))
    else if ((node.op === 'tableFilter' || node.op === 'tableMap') && node.kept) keep(new Table(out))
    else if (node.op === 'tally') keep(new Tally(node.fold, out))
    else if (node.op === 'process') keep(new Processing(node.delay, node.valuesOnly, out))
    else if (node.op === 'tableJoin') {
      const sides = [(key: Key) => this.row(node.of, key), (key: Key) => this.row(node.with, key)] as const
      const table = new Table(out)
      // a join's rows are always kept: so what was there is known, even where both sides come from one record
      const join = new TableJoin(node.how, sides, (item) => table.take(item))
      keep({ take: (item, port) => join.take(item, port), row: (key) => table.row(key), rows: () => table.rows() })
    } else if (node.op === 'aggregate' && node.windows === undefined) keep(new Aggregate(node.fold, out))
    else if (node.op === 'aggregate' && node.windows !== undefined) {
      const late = this.shape.nodes[i + 1]?.op === 'late' ? (item: Item) => this.emit(i + 1, item) : () => {}
      const w = () => this.timeOf(i).w
      keep(
        'gap' in node.windows
          ? new SessionWindows(node.fold, node.windows, w, out, late)
          : new Windows(node.fold, node.windows, w, out, late),
      )
    }
    const step = this.steps.get(i)
    if (step?.due) this.timeOf(i).timed.push(step)
  }

  /** A table's row of the moment. */
  private row(i: number, key: Key): Row | undefined {
    const node = this.shape.nodes[i] as ShapeNode
    const step = this.steps.get(i)
    if (step?.row) return step.row(key)
    if (node.op !== 'tableFilter' && node.op !== 'tableMap') throw new Error(`no rows in ${node.op}`)
    const row = this.row(node.of, key)
    const value = row && derived(node, row.value)
    return row === undefined || value === undefined ? undefined : { ...row, value }
  }

  private arrive(i: number, item: Item, port: number): void {
    const node = this.shape.nodes[i] as ShapeNode
    const { key, value } = item
    switch (node.op) {
      case 'sink':
        this.sink(node.topic, item)
        return
      case 'stream':
      case 'merge':
      case 'toStream':
      case 'branch':
      case 'repartition':
        this.emit(i, item)
        return
      case 'filter':
        if (passes(value, node.mod)) this.emit(i, item)
        return
      case 'mapValues':
        this.emit(i, { ...item, value: plus(value, node.plus) })
        return
      case 'map':
        this.emit(i, { ...item, key: keyFor(value, node.keys), value: plus(value, 1) })
        return
      case 'selectKey':
        this.emit(i, { ...item, key: keyFor(value, node.keys) })
        return
      case 'unwindow': {
        const windowed = key as { key: string; window: { start: number } }
        this.emit(i, { ...item, key: windowed.key, value: { at: windowed.window.start, v: numberOf(value) } })
        return
      }
      case 'flatMap':
        for (const [k, v] of copyPairs(value, key, node.copies)) this.emit(i, { ...item, key: k, value: v })
        return
      case 'flatMapValues':
        for (const v of copies(value, node.copies)) this.emit(i, { ...item, value: v })
        return
      case 'split': {
        const found = node.mods.findIndex((mod) => !passes(value, mod))
        const wanted = found < 0 ? node.mods.length : found
        for (const [n, branch] of this.shape.nodes.entries())
          if (branch.op === 'branch' && branch.of === i && branch.index === wanted) this.arrive(n, item, 0)
        return
      }
      case 'tableFilter':
      case 'tableMap':
        this.derive(i, node, item)
        return
      case 'group':
        regroup(item, node.keys, (change) => this.emit(i, change))
        return
      case 'lookup':
        if (port === 0) this.lookup(i, node, item)
        return
      default:
        this.steps.get(i)?.take(item, port)
    }
  }

  private derive(i: number, node: Extract<ShapeNode, { op: 'tableFilter' | 'tableMap' }>, item: Item): void {
    const [value, old] = [derived(node, item.value) ?? null, derived(node, item.old)]
    if (node.op === 'tableFilter' && value === null && old === undefined) return
    const change = { ...item, value, old }
    if (node.kept) this.steps.get(i)?.take(change, 0)
    else this.emit(i, change)
  }

  private lookup(i: number, { how, with: table }: Extract<ShapeNode, { op: 'lookup' }>, item: Item): void {
    const { key, value } = item
    if (value === null || value === undefined) return
    const row = key === null || key === undefined ? undefined : this.row(table, key)
    if (row === undefined && how === 'inner') return
    this.emit(i, { ...item, value: joined(value, row?.value ?? null) })
  }

  private sink(topic: string, { key, value, ts, headers }: Item): void {
    const results = this.outputs.get(topic) ?? []
    this.outputs.set(topic, results)
    results.push({ key: key ?? null, value: structuredClone(value ?? null), timestamp: ts, headers })
  }
}

/** W after one more record: what `raise` is given, which never goes back. */
function watermark(shape: WatermarkShape, value: unknown, ts: number): number {
  if (shape.kind === 'none') return Number.NEGATIVE_INFINITY
  if (shape.kind === 'punctuated')
    return value !== null && numberOf(value) % shape.every === 0 ? ts : Number.NEGATIVE_INFINITY
  return ts - (shape.kind === 'bounded' ? shape.bound : 0) - 1
}
