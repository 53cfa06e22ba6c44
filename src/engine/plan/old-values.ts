import type { Step } from './physical.ts'

/** A regrouped row must be taken out of its old group; a filter must know whether a deletion is news. */
const asks = new Set<Step['op']['kind']>(['tableGroup', 'filter'])
/** Steps that hand old values on if asked for them. */
const passes = new Set<Step['op']['kind']>([
  'mapValues',
  'filter',
  'tableJoin',
  'transformValues',
  'suppress',
  'repartitionWrite',
  'toTable',
])

/** Left and outer joins do not pass on the deletion of what was never there. */
const asksFor = ({ op }: Step): boolean => asks.has(op.kind) || (op.kind === 'tableJoin' && op.how !== 'inner')

/** Old values cost a copy where aggregates change in place, so they are kept only where somebody downstream asks. */
export function markOldValues(steps: readonly Step[]): void {
  for (const step of steps.toReversed()) {
    if (!step.table) continue
    step.needsOld = step.outputs.some(({ to }) => to.table && (asksFor(to) || (passes.has(to.op.kind) && to.needsOld)))
  }
}
