import fc from 'fast-check'
import type { InnerDriverOptions } from '../../src/testing/options.ts'
import { isStraight } from './cut.ts'
import type { Sent } from './model.ts'
import {
  type EmitShape,
  type Fold,
  inputsOf,
  isTable,
  type Op,
  type Shape,
  type ShapeNode,
  type WatermarkShape,
} from './shape.ts'

/** A step to put on what is there already: what it reads is picked by number, modulo what could be read. */
interface Gene {
  readonly op: Op
  readonly of: number
  readonly with: number
  readonly n: number
  readonly m: number
}

export interface Growth {
  /** Topics: 's0', 's1', … are streams, 't0', … tables. */
  readonly streams: readonly { readonly watermark: WatermarkShape; readonly tombstones: 'keep' | 'drop' }[]
  readonly tables: number
  readonly genes: readonly Gene[]
  /** Write the result of each stream step to a topic of its own, not only of the last ones. */
  readonly tapped: boolean
}

const folds: readonly Fold[] = ['count', 'sum', 'list', 'reduce', 'fleeting']
const emits: readonly EmitShape[] = ['update', 'close', 'onTime', { every: 3 }, { every: 7 }]
const sizes: readonly (readonly [number, number])[] = [
  [5, 5],
  [10, 10],
  [10, 5],
  [9, 3],
]
const pick = <T>(of: readonly T[], n: number): T => of[n % of.length] as T

/** Grows a topology of it; genes that find nothing to read, or would lead a record to a task on two ways, are left out. */
export function grow(growth: Growth): Shape {
  const nodes: ShapeNode[] = growth.streams.map(({ watermark, tombstones }, i) => ({
    op: 'stream',
    topic: `s${i}`,
    watermark,
    tombstones,
  }))
  for (let i = 0; i < growth.tables; i++) nodes.push({ op: 'table', topic: `t${i}` })
  for (const gene of growth.genes) {
    const added = nodesOf(nodes, gene)
    if (added.length > 0 && isStraight({ nodes: [...nodes, ...added] })) nodes.push(...added)
  }
  return { nodes: withSinks(nodes, growth.tapped) }
}

function withSinks(steps: readonly ShapeNode[], tapped: boolean): ShapeNode[] {
  const nodes = [...steps]
  const read = new Set(steps.flatMap(inputsOf))
  for (const [i, node] of steps.entries()) {
    const hidden = node.op === 'group' || node.op === 'split' || node.op === 'sink' || node.op === 'late'
    if ((hidden && node.op !== 'late') || (read.has(i) && !tapped)) continue
    const of = isTable(node) ? nodes.push({ op: 'toStream', of: i }) - 1 : i
    nodes.push({ op: 'sink', of, topic: `o${i}` })
  }
  return nodes
}

const isWindowed = (nodes: readonly ShapeNode[], i: number): boolean => {
  const node = nodes[i] as ShapeNode
  if (node.op === 'aggregate') return node.windows !== undefined
  if (node.op === 'tableFilter' || node.op === 'tableMap' || node.op === 'toStream') return isWindowed(nodes, node.of)
  return false
}

function nodesOf(nodes: readonly ShapeNode[], { op, of, with: other, n, m }: Gene): ShapeNode[] {
  const all = nodes.map((_, i) => i)
  const hidden = (i: number) => ['group', 'split', 'sink'].includes((nodes[i] as ShapeNode).op)
  const streams = all.filter((i) => !isTable(nodes[i] as ShapeNode) && !hidden(i) && !isWindowed(nodes, i))
  const tables = all.filter((i) => isTable(nodes[i] as ShapeNode) && !hidden(i))
  const plain = tables.filter((i) => !isWindowed(nodes, i))
  const windowed = all.filter((i) => !hidden(i) && isTable(nodes[i] as ShapeNode) && isWindowed(nodes, i))
  const next = nodes.length
  const stream = pick(streams, of)
  const table = tables.length > 0 ? pick(tables, of) : undefined
  switch (op) {
    case 'filter':
      return [{ op, of: stream, mod: 2 + (n % 3), negate: m % 2 === 0 }]
    case 'mapValues':
      return [{ op, of: stream, plus: n }]
    case 'map':
    case 'selectKey':
      return [{ op, of: stream, keys: 1 + (n % 4) }]
    case 'flatMap':
    case 'flatMapValues':
      return [{ op, of: stream, copies: 1 + (n % 2) }]
    case 'merge':
      return stream === pick(streams, other) ? [] : [{ op, of: stream, with: pick(streams, other) }]
    case 'split': {
      const mods = n % 2 === 0 ? [2] : [3, 2]
      return [
        { op, of: stream, mods },
        ...[...mods, 0].map((_, index): ShapeNode => ({ op: 'branch', of: next, index })),
      ]
    }
    case 'repartition':
      return [{ op, of: stream }]
    case 'process':
      return [{ op, of: stream, delay: 1 + (n % 9), valuesOnly: m % 2 === 0 }]
    case 'toTable':
      return [{ op, of: stream }]
    case 'toStream':
      return plain.length === 0 ? [] : [{ op, of: pick(plain, of) }]
    case 'unwindow': {
      if (windowed.length === 0) return []
      return [
        { op: 'toStream', of: pick(windowed, of) },
        { op, of: next },
      ]
    }
    case 'aggregate': {
      const [size, advance] = pick(sizes, m)
      const windows =
        n % 3 === 0
          ? undefined
          : {
              ...((n + m) % 3 === 0 ? { gap: size === 10 ? 1 : 4 } : { size, advance }),
              grace: pick([0, 0, 2, 8], n),
              emit: pick(emits, other),
            }
      const second = of % 4 === 0 ? pick(streams, other) : stream
      if (second !== stream) {
        const node = { op, of: stream, with: second, fold: pick(['sum', 'list'] as const, m) }
        return [windows === undefined ? node : { ...node, windows }]
      }
      const node = { op, of: stream, fold: pick(folds, m + n) }
      if (windows === undefined) return [node]
      return [{ ...node, windows }, ...(m % 2 === 0 ? [{ op: 'late', of: next } as const] : [])]
    }
    case 'tableFilter':
      return table === undefined
        ? []
        : [{ op, of: table, mod: 2 + (n % 3), kept: m % 3 === 0 && plain.includes(table) }]
    case 'tableMap':
      return table === undefined ? [] : [{ op, of: table, plus: n, kept: m % 3 === 0 && plain.includes(table) }]
    case 'group': {
      if (table === undefined) return []
      return [
        { op, of: table, keys: 1 + (n % 3) },
        { op: 'tally', of: next, fold: pick(['count', 'sum', 'reduce'] as const, m) },
      ]
    }
    case 'tableJoin': {
      const [left, right] = [pick(plain, of), pick(plain, other)]
      if (plain.length < 2 || left === right) return []
      return [{ op, of: left, with: right, how: pick(['inner', 'left', 'outer'] as const, n), kept: m % 3 === 0 }]
    }
    case 'lookup':
      if (plain.length === 0) return []
      return [{ op, of: stream, with: pick(plain, other), how: pick(['inner', 'left'] as const, n) }]
    default:
      return []
  }
}

const ops: fc.Arbitrary<Op> = fc.constantFrom(
  'filter',
  'mapValues',
  'map',
  'selectKey',
  'flatMap',
  'flatMapValues',
  'merge',
  'split',
  'repartition',
  'process',
  'process',
  'toTable',
  'toStream',
  'unwindow',
  'unwindow',
  'aggregate',
  'aggregate',
  'aggregate',
  'aggregate',
  'tableFilter',
  'tableMap',
  'group',
  'group',
  'tableJoin',
  'tableJoin',
  'lookup',
)
const small = fc.nat({ max: 60 })

export const watermark: fc.Arbitrary<WatermarkShape> = fc.oneof(
  fc.constant<WatermarkShape>({ kind: 'monotonous' }),
  fc.record({ kind: fc.constant('bounded' as const), bound: fc.nat({ max: 8 }) }),
  fc.record({ kind: fc.constant('punctuated' as const), every: fc.integer({ min: 1, max: 4 }) }),
  fc.constant<WatermarkShape>({ kind: 'none' }),
)

export const growth = (only: Partial<Record<'genes', fc.Arbitrary<Gene['op']>>> = {}): fc.Arbitrary<Growth> =>
  fc.record({
    streams: fc.array(fc.record({ watermark, tombstones: fc.constantFrom<'keep' | 'drop'>('keep', 'drop') }), {
      minLength: 1,
      maxLength: 3,
    }),
    tables: fc.nat({ max: 2 }),
    genes: fc.array(fc.record({ op: only.genes ?? ops, of: small, with: small, n: small, m: small }), {
      minLength: 1,
      maxLength: 12,
    }),
    tapped: fc.boolean(),
  })

/** What happens to a topology; topics are named by number, and found by `eventsFor`. */
export type Event =
  | (Omit<Sent, 'topic'> & { readonly kind: 'send'; readonly topic: number })
  | { readonly kind: 'advance'; readonly topic: number; readonly to: number }

const keys = ['a', 'b', 'c', 'd', 'k0', 'k1']
/** Time goes on with the position; a record is up to 25 behind it, so that some are late. Equal records happen. */
export const events: fc.Arbitrary<Event[]> = fc
  .array(
    fc.record({
      advance: fc.integer({ min: 0, max: 15 }),
      topic: fc.nat({ max: 20 }),
      key: fc.option(fc.constantFrom(...keys), { freq: 12 }),
      value: fc.option(fc.nat({ max: 40 }), { freq: 6 }),
      behind: fc.oneof({ weight: 4, arbitrary: fc.nat({ max: 3 }) }, { weight: 1, arbitrary: fc.nat({ max: 25 }) }),
      headed: fc.nat({ max: 4 }),
    }),
    { minLength: 1, maxLength: 45 },
  )
  .map((all) =>
    all.map(({ advance, topic, key, value, behind, headed }, i): Event => {
      if (advance === 0) return { kind: 'advance', topic, to: i }
      const headers: Record<string, string> = headed === 0 ? { n: String(i) } : {}
      return { kind: 'send', topic, key, value, timestamp: Math.max(0, i - behind), headers }
    }),
  )

/** What befalls a run before its step `at`; modulo the number of steps. */
export interface Fault {
  readonly at: number
  /** `restore`: a new driver begins where the last checkpoint was. */
  readonly kind: 'checkpoint' | 'crash' | 'restore'
}

export const faults: fc.Arbitrary<Fault[]> = fc.array(
  fc.record({
    at: fc.nat({ max: 60 }),
    kind: fc.constantFrom<Fault['kind']>('checkpoint', 'checkpoint', 'crash', 'restore'),
  }),
  { maxLength: 8 },
)

/** Caches that hold nothing, little, or all. */
export const driverOptions: fc.Arbitrary<InnerDriverOptions> = fc.record({
  batchSize: fc.integer({ min: 1, max: 12 }),
  strict: fc.boolean(),
  careful: fc.boolean(),
  cacheBytes: fc.constantFrom(1, 500, 1 << 20),
  codegen: fc.boolean(),
})
