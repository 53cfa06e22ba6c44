import { DhaaraError } from '../../errors/index.ts'
import { generated } from '../generated.ts'
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
  const steps = fns.map((_, i) => `states[${i}] = f${i}(states[${i}], value, key, at)`)
  const made = unrolled(fns, 'states, value, key, at', `${steps.join('; ')}; return states`)
  return (
    made ??
    ((states: unknown[], value: unknown, key: unknown, at: number) => {
      for (let i = 0; i < fns.length; i++) states[i] = (fns[i] as UserFn)(states[i], value, key, at)
      return states
    })
  )
}

function mergeEach(fns: readonly UserFn[]): UserFn {
  return (a: unknown[], b: unknown[], key: unknown) => {
    for (let i = 0; i < fns.length; i++) a[i] = (fns[i] as UserFn)(a[i], b[i], key)
    return a
  }
}

const asItIs: UserFn = (state: unknown) => state

function resultOf(names: readonly string[], parts: readonly AggregateSpec[]): UserFn {
  const results = parts.map(({ result }) => result ?? asItIs)
  const members = names.map((name, i) => {
    const property = name === '__proto__' ? `['__proto__']` : JSON.stringify(name)
    return `${property}: f${i}(states[${i}])`
  })
  const made = unrolled(results, 'states', `return { ${members.join(', ')} }`)
  return (
    made ??
    ((states: unknown[]) => Object.fromEntries(names.map((name, i) => [name, (results[i] as UserFn)(states[i])])))
  )
}

/**
 * A function whose body calls `f0`, `f1`, … each at a place of its own, where V8 sees one target and inlines it; and whose object
 * literal has one shape. undefined where code must not be generated.
 */
function unrolled(fns: readonly UserFn[], parameters: string, body: string): UserFn | undefined {
  const names = fns.map((_, i) => `f${i}`)
  return generated(names, `return (${parameters}) => { ${body} }`)?.(...fns) as UserFn | undefined
}
