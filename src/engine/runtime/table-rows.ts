import type { AggregateNode } from '../../dsl/plan/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { ForeignJoin } from '../operators/foreign/join.ts'
import type { TableJoin } from '../operators/table-join.ts'
import {
  CellRows,
  derivedRows,
  StoredRows,
  type TableReader,
  VersionedRows,
  WindowRows,
} from '../operators/table-store.ts'
import type { Step } from '../plan/physical.ts'
import { versionedRoot } from '../plan/versioned.ts'
import { unsupported } from './errors.ts'
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

/** Rows of windows that are shown with each change, as they lie in their store: other windows keep no row of their own. */
function windowRows({ name }: Step, op: AggregateNode, { stores }: RowParts): TableReader {
  const { windows, emit, store, spec } = op
  const fixed = windows?.kind === 'tumbling' || windows?.kind === 'hopping' || windows?.kind === 'unlimited'
  if (fixed && emit?.mode === 'update') return new WindowRows(stores.window(store.name), spec.result)
  if (windows?.kind === 'sliding' && emit?.mode === 'update')
    return new CellRows(stores.cells(store.name, spanOf(windows)), spec.result)
  const found = `step '${name}': found ${windows?.kind} windows with emit ${emit?.mode} that a join reads`
  const expected = 'expected tumbling, hopping, sliding or unlimited ones with emit update'
  const advice = 'join what suppress(untilWindowCloses()) lets out'
  throw new DhaaraError('DHAARA_UNSUPPORTED', `${found}, ${expected}; ${advice}`, { step: name })
}
