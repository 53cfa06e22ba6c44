import { isFast, type Serde } from '../../dsl/serdes/index.ts'
import type { Step } from './physical.ts'

/** They look at values, and hand on the very ones. Not `peek`: a function that is called for its effects might write to one. */
const passing = new Set<Step['op']['kind']>(['filter', 'split', 'branch', 'merge', 'selectKey'])

/**
 * Do all records of a stream step have the values that were read from topics, in this serde, whose bytes would be read as
 * equal values again? Then these bytes can be written in the place of the values.
 */
export function comesAsRead(step: Step, serde: Serde<unknown> | undefined): boolean {
  if (serde === undefined || !isFast(serde) || !serde.keepsBytes || step.table) return false
  const { op, inputs } = step
  if (op.kind === 'source') return op.own === undefined && op.value === serde
  return passing.has(op.kind) && inputs.length > 0 && inputs.every((input) => comesAsRead(input, serde))
}
