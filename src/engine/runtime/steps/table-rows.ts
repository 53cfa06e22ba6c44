import type { AggregateNode, PeriodSpec, WindowSpec } from '../../../dsl/plan/index.ts'
import type { KeyValueTable } from '../../../state/stores/index.ts'
import type { ForeignJoin } from '../../operators/foreign/join.ts'
import type { TableJoin } from '../../operators/join/table-join.ts'
import {
  CellRows,
  derivedRows,
  StoredRows,
  type TableReader,
  VersionedRows,
  WindowRows,
} from '../../operators/table/table-reader.ts'
import type { Step } from '../../plan/physical.ts'
import { versionedRoot } from '../../plan/versioned.ts'
import { unsupported } from '../failures/errors.ts'
import type { TaskStores } from './stores.ts'
import type { UserCode } from './user-code.ts'
import { spanOf } from './windowed.ts'

interface RowParts {
  readonly stores: TaskStores
  readonly ops: Readonly<Record<number, object>>
  readonly code: UserCode
}

/** Where rows are kept that cannot be made again, if nobody but a join asks for them. */
export const shownRows = (step: Step): string => `${step.name}.rows`

const readers = new Set<Step['op']['kind']>(['tableJoin', 'streamTableJoin', 'foreignSend', 'foreignLookup'])
const derived = new Set<Step['op']['kind']>(['mapValues', 'filter'])

/** Does a join read the rows of a table, as they are or derived from them? */
export const isRead = (step: Step): boolean =>
  step.outputs.some(({ to }) => {
    if (readers.has(to.op.kind)) return true
    return derived.has(to.op.kind) && !('store' in to.op && to.op.store !== undefined) && isRead(to)
  })

/** The rows of a table: stored, or derived from what is stored upstream. */
export function tableRows(step: Step, parts: RowParts): TableReader {
  const { op } = step
  if (op.kind === 'aggregate' && op.windows !== undefined) return windowRows(step, op, parts)
  if ('store' in op && op.store !== undefined) {
    const result = 'spec' in op ? op.spec.result : undefined
    if (versionedRoot(step) === step) return new VersionedRows(parts.stores.versioned(op.store.name), result)
    return new StoredRows(parts.stores.keyValue(op.store.name), result)
  }
  const input = step.inputs[0] as Step
  if (op.kind === 'mapValues') return derivedRows(tableRows(input, parts), parts.code.derived(op.fn, step.name))
  if (op.kind === 'filter') {
    const passes = parts.code.derived(op.fn, step.name)
    return derivedRows(tableRows(input, parts), (value, key) =>
      Boolean(passes(value, key)) !== op.negate ? value : undefined,
    )
  }
  if (op.kind === 'tableJoin' || op.kind === 'foreignJoin') return parts.ops[step.id] as TableJoin | ForeignJoin
  if (op.kind === 'transformValues' || op.kind === 'suppress')
    return new StoredRows(parts.stores.keyValue(shownRows(step)))
  throw unsupported(`reading the rows of '${step.name}' (${op.kind})`, step.name)
}

/** Are a windowed table's rows read where they lie? Other windows keep no row that says what has come out. */
export function readInPlace({ windows, emit }: AggregateNode): boolean {
  const { kind } = windows as WindowSpec
  return emit.mode === 'update' && kind !== 'session' && kind !== 'cumulative' && kind !== 'count'
}

/**
 * How long a row of windows that have come out can be read: from its timestamp, which no window is longer ago than its length, to
 * where its window has closed, and as long again. undefined: time does not end it.
 */
function readFor(windows: WindowSpec, retention = 0): number | undefined {
  const length = lengthOf(windows)
  if (length === undefined || windows.kind === 'count' || windows.kind === 'unlimited') return undefined
  return 2 * (length + windows.grace) + retention + 1
}

function lengthOf(windows: WindowSpec): number | undefined {
  if (windows.kind === 'session') return typeof windows.gap === 'number' ? windows.gap : undefined
  if (windows.kind === 'sliding') return windows.difference
  if (windows.kind === 'cumulative') return longest(windows.max)
  return windows.kind === 'tumbling' || windows.kind === 'hopping' ? longest(windows.size) : undefined
}

/** The store of what has come out of a step over windows, for joins. */
export function shownTable(
  step: Step,
  windows: readonly WindowSpec[],
  retention: number,
  stores: TaskStores,
): KeyValueTable {
  const name = shownRows(step)
  const lives = windows.map((one) => readFor(one, retention))
  const ttl = lives.includes(undefined) ? undefined : Math.max(...(lives as number[]))
  const ttlClock = windows.every((one) => 'clock' in one && one.clock === 'wall') ? 'wall' : 'event'
  if (ttl !== undefined)
    stores.imply({ name, kind: 'keyValue', backend: 'rocksdb', ttl, ttlClock, retention: 0, named: false })
  return stores.keyValue(name)
}

function windowRows(step: Step, op: AggregateNode, { stores }: RowParts): TableReader {
  const { windows, store, spec } = op
  if (!readInPlace(op)) return new StoredRows(stores.keyValue(shownRows(step)))
  if (windows?.kind === 'sliding') return new CellRows(stores.cells(store.name, spanOf(windows)), spec.result)
  return new WindowRows(stores.window(store.name), spec.result)
}

const hour = 3_600_000
/** The longest that a unit of the calendar can be, an hour of winter time included. */
const longestDays = { d: 1, w: 7, M: 31, y: 366 }

const longest = (size: PeriodSpec): number =>
  typeof size === 'number' ? size : size.count * longestDays[size.unit] * 24 * hour + hour
