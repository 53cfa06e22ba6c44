import type { UserFn } from '../../dsl/plan/index.ts'
import type { Step, SubTopology } from '../plan/physical.ts'
import { isOperator, isOutlet } from './steps.ts'

/** What the steps of a sub-topology look at: generated code leaves out what nobody sees. */
export interface Traits {
  /** The record view's place in its batch: user functions that take it, headers on their way out. */
  readonly place: boolean
  /** Its timestamp. */
  readonly time: boolean
  /** The watermark record by record: windows, timers, and what travels through a repartition. */
  readonly watermark: boolean
}

export function traitsOf(sub: SubTopology): Traits {
  const { steps } = sub
  const viewed = steps.some((step) => userFns(step).some(takesRecord))
  const process = steps.some(({ op }) => op.kind === 'process' || op.kind === 'mapAsync')
  return {
    place: viewed || process || steps.some(isOutlet),
    time: viewed || process || steps.some(({ op }) => op.kind === 'sink' || op.kind === 'deliver'),
    watermark: steps.some(
      (step) => (isOperator(step) && step.op.kind !== 'source') || step.op.kind === 'repartitionWrite',
    ),
  }
}

/** Could it look at its third parameter? */
const takesRecord = (fn: UserFn): boolean => fn.length > 2 || /\barguments\b|\.\.\./.test(fn.toString())

function userFns(step: Step): readonly UserFn[] {
  const { op } = step
  if (op.kind === 'split') return op.predicates
  if (op.kind === 'deduplicate') return [op.by]
  if (op.kind === 'streamGlobalJoin') return [op.lookup]
  return 'fn' in op ? [op.fn] : []
}
