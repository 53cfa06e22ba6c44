import type { LogicalPlan } from '../plan/index.ts'
import { toDot, toMermaid } from './charts.ts'
import { cutForView } from './cut.ts'
import { describe } from './describe.ts'
import { hashOf, manifestOf } from './manifest.ts'
import { topologyVault } from './plan-of.ts'
import type { Topology } from './types.ts'

/** The public face of a checked plan. */
export function topologyOf(plan: LogicalPlan): Topology {
  const face = {
    describe: () => describe(cutForView(plan)),
    toJSON: () => manifestOf(plan),
    toMermaid: () => toMermaid(cutForView(plan)),
    toDot: () => toDot(cutForView(plan)),
    hash: hashOf(manifestOf(plan)),
  }
  return topologyVault.put(face as Topology, plan)
}
