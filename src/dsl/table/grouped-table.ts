import { DhaaraError } from '../../errors/index.ts'
import { aggregatorSpec, countSpec, isAggregator, overRows, topNOfRowsSpec } from '../aggregators/index.ts'
import type { PlanDraft } from '../builder/draft.ts'
import { needFunction } from '../checks.ts'
import { Handle } from '../handle.ts'
import type { StateOptions } from '../options.ts'
import type { AggregateSpec, PlanNode } from '../plan/index.ts'
import { storeSpec } from '../stores/index.ts'
import type { KGroupedTable } from './types.ts'

type State = StateOptions<any, any>
interface AddSubtract {
  readonly add: unknown
  readonly subtract: unknown
}

/** Behind `KGroupedTable`: aggregates that take a row's old value out and its new one in. */
export class GroupedTableSteps extends Handle {
  static of(draft: PlanDraft, node: PlanNode): KGroupedTable<any, any> {
    return new GroupedTableSteps(draft, node) as unknown as KGroupedTable<any, any>
  }

  count(opts: State = {}) {
    return this.fold('count', countSpec, opts)
  }

  reduce(fns: AddSubtract, opts: State = {}) {
    const spec: AggregateSpec = {
      kind: 'reduce',
      adders: [needFunction(fns?.add, 'reduce add')],
      subtract: needFunction(fns.subtract, 'reduce subtract'),
      mergeable: false,
      pure: false,
    }
    return this.fold('reduce', spec, opts)
  }

  aggregate(...args: unknown[]) {
    if (args.length < 2 || isAggregator(args[0])) {
      return this.fold('aggregate', rowsSpec(args[0]), (args[1] as State | undefined) ?? {})
    }
    const [init, fns, opts = {}] = args as [unknown, AddSubtract, State?]
    const spec: AggregateSpec = {
      kind: 'aggregate',
      init: needFunction(init, 'aggregate init'),
      adders: [needFunction(fns?.add, 'aggregate add')],
      subtract: needFunction(fns.subtract, 'aggregate subtract'),
      mergeable: false,
      pure: false,
    }
    return this.fold('aggregate', spec, opts)
  }

  topN(n: number, by: (value: any, key: any) => any, opts: State = {}) {
    return this.fold('topN', topNOfRowsSpec(n, by), opts)
  }

  private fold(operation: string, spec: AggregateSpec, opts: State) {
    const { draft, node } = this
    const base = draft.step(operation, [node], opts.name)
    const value = spec.result === undefined ? opts.value : undefined
    return draft.table(
      draft.add({
        ...base,
        kind: 'tableAggregate',
        table: true,
        key: opts.key ?? node.key,
        value: opts.value,
        spec: Object.freeze(spec),
        store: storeSpec(opts.store, { step: base.name, value }),
      }),
    )
  }
}

function rowsSpec(given: unknown): AggregateSpec {
  const spec = aggregatorSpec(given)
  if (spec.subtract !== undefined) return overRows(spec)
  const message = `aggregate over a table's rows: found ${spec.builtin?.op ?? 'an aggregator'}, which cannot take a row out again; expected count, sum or avg, or {add, subtract}`
  throw new DhaaraError('DHAARA_OPTION', message)
}
