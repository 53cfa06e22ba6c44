import type { KnownCode, TopologyProblem } from '../../../errors/index.ts'
import type { LogicalPlan, PlanNode } from '../../plan/index.ts'

/** Finds what is wrong in one respect. */
export type Check = (plan: LogicalPlan) => readonly TopologyProblem[]

/** A problem of a step, with the place where the user wrote it. */
export function problem(code: KnownCode, node: PlanNode, message: string): TopologyProblem {
  return { code, step: node.name, message: node.site === undefined ? message : `${message} [${node.site}]` }
}
