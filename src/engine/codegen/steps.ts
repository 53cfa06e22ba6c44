import type { Step } from '../plan/physical.ts'

const stateful = new Set<Step['op']['kind']>([
  'aggregate',
  'partial',
  'toTable',
  'tableAggregate',
  'tableJoin',
  'streamTableJoin',
  'streamJoin',
  'streamGlobalJoin',
  'foreignLookup',
  'foreignJoin',
  'process',
  'suppress',
  'mapAsync',
  'deduplicate',
  'transformValues',
  'match',
])
const outlets = new Set<Step['op']['kind']>([
  'sink',
  'deliver',
  'repartitionWrite',
  'split',
  'tableGroup',
  'foreignSend',
  'broadcast',
])

/** Has an operator with an `out`: stateful steps, and tables that keep their rows. */
export const isOperator = (step: Step): boolean => {
  const { op } = step
  if (stateful.has(op.kind)) return true
  return 'store' in op && op.store !== undefined && (op.kind === 'source' || step.table)
}

const dividing = new Set<Step['op']['kind']>(['filter', 'flatMap', 'flatMapValues', 'branch', 'late', 'tableGroup'])

/** As many records come out of others as go in. */
export const isCounted = (step: Step): boolean => dividing.has(step.op.kind) || isOperator(step)

/** Records that a stream's source drops and counts, though they move W; tables have their own say. */
export function dropsOf({ op }: Step): { readonly tombstones: boolean; readonly keyless: boolean } {
  const stream = op.kind === 'source' && op.store === undefined
  return { tombstones: stream && op.tombstones === 'drop', keyless: stream && op.nullKeys === 'drop' }
}

/** Has a helper in `ops`, but nothing comes out of it. */
export const isOutlet = (step: Step): boolean => outlets.has(step.op.kind)

/** Names of a step's user functions in generated code. */
export function fnNames({ op, id }: Step): string[] {
  if (op.kind === 'split') return op.predicates.map((_, i) => `f${id}_${i}`)
  return 'fn' in op ? [`f${id}`] : []
}
