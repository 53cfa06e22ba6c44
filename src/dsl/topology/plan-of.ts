import type { LogicalPlan } from '../plan/index.ts'
import { Vault } from '../vault.ts'
import type { Topology } from './types.ts'

export const topologyVault = new Vault<LogicalPlan>('a topology, from builder.build()')

/**
 * The plan behind a topology: for the engine.
 * @internal
 * @throws DhaaraError DHAARA_OPTION if this is no topology of this package
 */
export const planOf = (topology: Topology): LogicalPlan => topologyVault.open(topology)
