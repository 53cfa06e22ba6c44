import { DhaaraError } from '../errors/index.ts'
import type { PlanDraft } from './builder/draft.ts'
import type { PlanNode } from './plan/index.ts'
import { show } from './vault.ts'

/** What every stream and table of the DSL is: a place in a plan. A call gives a new one; none ever changes. */
export class Handle {
  readonly draft: PlanDraft
  readonly node: PlanNode

  constructor(draft: PlanDraft, node: PlanNode) {
    this.draft = draft
    this.node = node
  }
}

export type HandleKind = 'stream' | 'table' | 'global table'

export function kindOf(handle: Handle): HandleKind {
  if (!handle.node.table) return 'stream'
  return handle.node.kind === 'source' && handle.node.global ? 'global table' : 'table'
}

/**
 * The handle behind what a user gave as the other side of a step.
 * @throws DhaaraError DHAARA_OPTION if it is none, or none of these kinds
 */
export function needHandle(given: unknown, what: string, kinds: readonly HandleKind[]): Handle {
  const found = given instanceof Handle ? `a ${kindOf(given)}` : show(given)
  if (given instanceof Handle && kinds.includes(kindOf(given))) return given
  throw new DhaaraError('DHAARA_OPTION', `${what}: found ${found}, expected a ${kinds.join(' or a ')}`)
}
