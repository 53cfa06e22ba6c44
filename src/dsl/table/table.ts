import { DhaaraError } from '../../errors/index.ts'
import { needFunction } from '../checks.ts'
import { Handle } from '../handle.ts'
import type { SerdeOptions, StateOptions, StepOptions } from '../options.ts'
import type { PlanNode } from '../plan/index.ts'
import { type StoreHandle, tableHandle } from '../stores/index.ts'
import { GroupedTableSteps } from './grouped-table.ts'
import { filterRows, joinRows, mapRows, suppressRows, type TransformOptions, transformRows } from './rows.ts'

type State = StateOptions<any, any>

/** Behind `KTable` and `GlobalKTable`: each method makes a node and gives the place behind it. The types are in `types.ts`. */
export class TableSteps extends Handle {
  private handle: StoreHandle | undefined

  get store(): StoreHandle {
    if (this.handle !== undefined) return this.handle
    const { node } = this
    const spec = 'store' in node ? node.store : undefined
    if (spec === undefined) {
      const message = `${node.name}: found a table that keeps no rows of its own, expected one with a store; give its step {store: 'name'}`
      throw new DhaaraError('DHAARA_STORE_UNKNOWN', message, { step: node.name })
    }
    this.handle = tableHandle(spec)
    return this.handle
  }

  filter(predicate: unknown, opts: State = {}) {
    return this.behind(filterRows(this, predicate, opts, false))
  }
  filterNot(predicate: unknown, opts: State = {}) {
    return this.behind(filterRows(this, predicate, opts, true))
  }
  mapValues(fn: unknown, opts: State = {}) {
    return this.behind(mapRows(this, fn, opts))
  }
  transformValues(supplier: unknown, opts: TransformOptions = {}) {
    return this.behind(transformRows(this, supplier, opts))
  }
  suppress(policy: unknown, opts: State = {}) {
    return this.behind(suppressRows(this, policy, opts))
  }
  join(other: unknown, ...rest: unknown[]) {
    return this.behind(joinRows(this, 'inner', other, rest))
  }
  leftJoin(other: unknown, ...rest: unknown[]) {
    return this.behind(joinRows(this, 'left', other, rest))
  }
  outerJoin(other: unknown, ...rest: unknown[]) {
    return this.behind(joinRows(this, 'outer', other, rest))
  }
  toStream(opts: StepOptions = {}) {
    const { draft, node } = this
    const base = draft.step('toStream', [node], opts.name)
    return draft.stream(draft.add({ ...base, kind: 'toStream', table: false, key: node.key, value: node.value }))
  }
  groupBy(given: unknown, opts: SerdeOptions<any, any> = {}) {
    const fn = needFunction(given, 'groupBy')
    const base = this.draft.step('groupBy', [this.node], opts.name)
    const serdes = { key: opts.key, value: opts.value }
    const node = this.draft.add({ ...base, kind: 'tableGroup', table: true, ...serdes, fn })
    return GroupedTableSteps.of(this.draft, node)
  }

  private behind(node: PlanNode) {
    return this.draft.table(node)
  }
}
