import type { AggregateSpec } from '../plan/index.ts'
import { Vault } from '../vault.ts'
import type { Aggregator, AggregatorKind } from './types.ts'

const vault = new Vault<AggregateSpec>('an aggregator, for example sum((o) => o.total)')

/** The public face of a spec. All built-in aggregators can be merged. */
export const aggregator = <V, R, C extends AggregatorKind>(
  spec: Omit<AggregateSpec, 'kind' | 'mergeable'> & { readonly kind?: 'count' },
): Aggregator<V, R, C> =>
  vault.put({} as Aggregator<V, R, C>, Object.freeze({ ...spec, kind: spec.kind ?? 'aggregate', mergeable: true }))

/** @throws DhaaraError DHAARA_OPTION if this is no aggregator */
export const aggregatorSpec = (given: unknown): AggregateSpec => vault.open(given)

export const isAggregator = (given: unknown): boolean => vault.has(given)
