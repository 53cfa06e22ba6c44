import { DhaaraError } from '../../errors/index.ts'
import type { AggregateSpec, UserFn } from '../plan/index.ts'
import { aggregator, aggregatorSpec } from './content.ts'
import type { Aggregator, AggregatorCapability, AggregatorResults } from './types.ts'

/**
 * Several aggregators in one pass over the values, one named result each.
 * @example orders.groupByKey().aggregate(aggregators({ orders: count(), revenue: sum((o) => o.total) }))
 */
export function aggregators<V, S extends Readonly<Record<string, Aggregator<V, unknown>>>>(
  shape: S & Readonly<Record<string, Aggregator<V, unknown>>>,
): Aggregator<V, AggregatorResults<S>, AggregatorCapability<S>> {
  const names = Object.keys(shape)
  if (names.length === 0) {
    throw new DhaaraError('DHAARA_OPTION', 'aggregators: found no part, expected at least one, e.g. {n: count()}')
  }
  const parts = names.map((name) => aggregatorSpec(shape[name]))
  const subtract = parts.map((part) => part.subtract)
  return aggregator({
    init: () => parts.map((part) => (part.init as UserFn)()),
    adders: [each(parts.map((part) => part.adders[0] as UserFn))],
    ...(subtract.every((fn) => fn !== undefined) ? { subtract: each(subtract) } : {}),
    merge: mergeEach(parts.map((part) => part.merge as UserFn)),
    result: resultOf(names, parts),
    timed: parts.some((part) => part.timed),
    pure: false,
    builtin: { op: 'combined', parts: Object.freeze(Object.fromEntries(names.map((name, i) => [name, parts[i]!]))) },
  })
}

function each(fns: readonly UserFn[]): UserFn {
  return (states: unknown[], value: unknown, key: unknown, at: number) => {
    for (let i = 0; i < fns.length; i++) states[i] = (fns[i] as UserFn)(states[i], value, key, at)
    return states
  }
}

function mergeEach(fns: readonly UserFn[]): UserFn {
  return (a: unknown[], b: unknown[], key: unknown) => {
    for (let i = 0; i < fns.length; i++) a[i] = (fns[i] as UserFn)(a[i], b[i], key)
    return a
  }
}

function resultOf(names: readonly string[], parts: readonly AggregateSpec[]): UserFn {
  return (states: unknown[]) => {
    const out: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i++) {
      const result = parts[i]?.result
      out[names[i] as string] = result === undefined ? states[i] : result(states[i])
    }
    return out
  }
}
