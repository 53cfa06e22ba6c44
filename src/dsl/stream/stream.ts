import { mapAsync } from '../async/map-async.ts'
import type { AsyncOptions } from '../async/types.ts'
import { ownSink, type OwnSinkOptions } from '../connect/index.ts'
import { GroupedSteps } from '../grouped/grouped.ts'
import { Handle } from '../handle.ts'
import type { MatchOptions } from '../match/types.ts'
import type { SerdeOptions, StateOptions, StepOptions } from '../options.ts'
import type { PlanNode } from '../plan/index.ts'
import { broadcast, process } from '../process/process.ts'
import type { ProcessOptions } from '../process/types.ts'
import { SplitSteps } from '../split/split.ts'
import type { Duration } from '../time/index.ts'
import { type DeduplicateOptions, deduplicate, type RepartitionOptions, repartition, sink, toTable } from './flow.ts'
import { join } from './joins.ts'
import { filter, mapRecords, mapValues, merge, print, see, selectKey } from './steps.ts'
import type { SinkOptions } from './types.ts'

type Serdes = SerdeOptions<any, any>

/** Behind `KStream`: each method makes a node and gives the place behind it. The types are in `types.ts`. */
export class StreamSteps extends Handle {
  filter(predicate: unknown, opts: StepOptions = {}) {
    return this.behind(filter(this, predicate, opts, false))
  }
  filterNot(predicate: unknown, opts: StepOptions = {}) {
    return this.behind(filter(this, predicate, opts, true))
  }
  mapValues(fn: unknown, opts: Serdes = {}) {
    return this.behind(mapValues(this, 'mapValues', fn, opts))
  }
  flatMapValues(fn: unknown, opts: Serdes = {}) {
    return this.behind(mapValues(this, 'flatMapValues', fn, opts))
  }
  map(fn: unknown, opts: Serdes = {}) {
    return this.behind(mapRecords(this, 'map', fn, opts))
  }
  flatMap(fn: unknown, opts: Serdes = {}) {
    return this.behind(mapRecords(this, 'flatMap', fn, opts))
  }
  selectKey(fn: unknown, opts: Serdes = {}) {
    return this.behind(selectKey(this, fn, opts, 'selectKey'))
  }
  peek(fn: unknown, opts: StepOptions = {}) {
    return this.behind(see(this, 'peek', fn, opts))
  }
  forEach(fn: unknown, opts: StepOptions = {}): void {
    see(this, 'forEach', fn, opts)
  }
  print(opts: StepOptions & { readonly label?: string } = {}) {
    return this.behind(print(this, opts))
  }
  merge(other: unknown, opts: StepOptions = {}) {
    return this.behind(merge(this, other, opts))
  }
  split(opts: StepOptions = {}) {
    return new SplitSteps(this, opts)
  }
  repartition(opts: RepartitionOptions = {}) {
    return this.behind(repartition(this, opts))
  }
  deduplicate(by: unknown, opts: DeduplicateOptions) {
    return this.behind(deduplicate(this, by, opts))
  }
  to(topic: unknown, opts: SinkOptions<any, any> = {}): void {
    sink(this, topic, opts)
  }
  sink(given: any, opts: OwnSinkOptions<any, any> = {}): void {
    ownSink(this, given, opts)
  }
  toTable(opts: StateOptions<any, any, Duration> = {}) {
    return this.draft.table(toTable(this, opts))
  }
  groupByKey(opts: Serdes = {}) {
    const { name, key, value } = opts
    if (name === undefined && key === undefined && value === undefined) return GroupedSteps.of(this.draft, this.node)
    const base = this.draft.step('groupByKey', [this.node], name)
    const serdes = { key: key ?? this.node.key, value: value ?? this.node.value }
    return GroupedSteps.of(this.draft, this.draft.add({ ...base, kind: 'group', table: false, ...serdes }))
  }
  groupBy(fn: unknown, opts: Serdes = {}) {
    return GroupedSteps.of(this.draft, selectKey(this, fn, opts, 'groupBy'))
  }
  join(other: unknown, ...rest: unknown[]) {
    return this.behind(join(this, 'inner', other, rest))
  }
  leftJoin(other: unknown, ...rest: unknown[]) {
    return this.behind(join(this, 'left', other, rest))
  }
  outerJoin(other: unknown, ...rest: unknown[]) {
    return this.behind(join(this, 'outer', other, rest))
  }
  withBroadcast(rules: unknown, fn: unknown, opts: Serdes = {}) {
    return this.behind(broadcast(this, rules, fn, opts))
  }
  process(supplier: unknown, opts: ProcessOptions<any, any> = {}) {
    return this.behind(process(this, supplier, opts, false))
  }
  processValues(supplier: unknown, opts: ProcessOptions<any, any> = {}) {
    return this.behind(process(this, supplier, opts, true))
  }
  mapAsync(fn: unknown, opts: AsyncOptions<any, any, any, any> = {}) {
    return this.behind(mapAsync(this, fn, opts))
  }
  match(patterns: any, opts: MatchOptions<any, any> = {}) {
    return GroupedSteps.of(this.draft, this.node).match(patterns, opts)
  }

  private behind(node: PlanNode) {
    return this.draft.stream(node)
  }
}
