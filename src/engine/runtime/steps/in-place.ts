import type { AggregateSpec, UserFn } from '../../../dsl/plan/index.ts'
import { copyValue } from '../../../state/codec/index.ts'
import type { Step } from '../../plan/physical.ts'

/** Does an aggregate of these functions go on changing what it has sent? Built-in ones send copies. */
const inPlace = (spec: AggregateSpec): boolean => !spec.pure && spec.kind !== 'count' && spec.result === undefined

/**
 * An aggregate upstream, in this task, may go on changing in place what it has sent: whoever keeps a value by reference
 * (a table, a join's buffer, a store of the user's, another aggregate, a channel) keeps a copy.
 */
export function changesInPlace(step: Step, stores: (name: string) => Step | undefined): boolean {
  const seen = new Set<Step>()
  const changes = (at: Step): boolean => {
    const read = 'stores' in at.op ? at.op.stores.map(stores) : []
    return [...at.inputs, ...read].some((source) => {
      if (source === undefined || seen.has(source)) return false
      seen.add(source)
      return ('spec' in source.op && inPlace(source.op.spec)) || changes(source)
    })
  }
  return changes(step)
}

/** What the adders put into their aggregate is a copy. */
export function addingCopies(spec: AggregateSpec): AggregateSpec {
  const copying = (fn: UserFn): UserFn =>
    spec.kind === 'reduce'
      ? (state, value) => fn(state, copyValue(value))
      : (state, value, key, ts) => fn(state, copyValue(value), key, ts)
  return spec.kind === 'count' ? spec : { ...spec, adders: spec.adders.map(copying) }
}
