import { DhaaraError } from '../../errors/index.ts'
import { aggregatorSpec, isAggregator } from '../aggregators/index.ts'
import { needFunction } from '../checks.ts'
import { present } from '../helpers.ts'
import type { AggregateOptions } from '../options.ts'
import type { AggregateSpec, WindowSpec } from '../plan/index.ts'

export function reduceSpec(fn: unknown, associative: boolean): AggregateSpec {
  const reducer = needFunction(fn, 'reduce')
  return { kind: 'reduce', adders: [reducer], merge: reducer, mergeable: associative, pure: false }
}

/** `init, add, opts` or `aggregator, opts`. @returns the spec and the options */
export function aggregateArguments(
  args: readonly unknown[],
  windows?: WindowSpec,
): readonly [AggregateSpec, AggregateOptions<any, any, any>] {
  if (args.length < 2 || isAggregator(args[0])) {
    return [aggregatorSpec(args[0]), (args[1] as AggregateOptions<any, any, any> | undefined) ?? {}]
  }
  const [init, add, opts = {}] = args as [unknown, unknown, AggregateOptions<any, any, any>?]
  return [aggregateSpec(init, [add], opts, windows), opts]
}

/** @throws DhaaraError DHAARA_OPTION if the windows are sessions and there is no `merge` */
export function aggregateSpec(
  init: unknown,
  adders: readonly unknown[],
  opts: Pick<AggregateOptions<any, any, any>, 'merge' | 'pure'>,
  windows?: WindowSpec,
): AggregateSpec {
  if (windows?.kind === 'session' && opts.merge === undefined) {
    const message =
      'aggregate: found no merge, expected {merge: (left, right) => …}: sessions that meet are joined by it'
    throw new DhaaraError('DHAARA_OPTION', message)
  }
  return {
    kind: 'aggregate',
    init: needFunction(init, 'aggregate init'),
    adders: adders.map((add) => needFunction(add, 'aggregate add')),
    ...present({ merge: opts.merge }),
    mergeable: opts.merge !== undefined,
    pure: opts.pure === true,
  }
}
