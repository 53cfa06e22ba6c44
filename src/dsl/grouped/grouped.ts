import { countSpec, topNSpec } from '../aggregators/index.ts'
import type { PlanDraft } from '../builder/draft.ts'
import { needFunction } from '../checks.ts'
import { CogroupSteps } from '../cogroup/cogroup.ts'
import { Handle } from '../handle.ts'
import { MatchSteps } from '../match/match.ts'
import type { MatchOptions } from '../match/types.ts'
import type { ReduceOptions, StateOptions, StepOptions } from '../options.ts'
import type { AggregateSpec, PlanNode } from '../plan/index.ts'
import type { Duration } from '../time/index.ts'
import { WindowedSteps } from '../windowed/windowed.ts'
import { aggregateStep } from './aggregate-step.ts'
import { aggregateArguments, reduceSpec } from './specs.ts'
import type { KGroupedStream } from './types.ts'

type State = StateOptions<any, any, Duration>

/** Behind `KGroupedStream`. Its node is the stream that is grouped: grouping by the key needs no step of its own. */
export class GroupedSteps extends Handle {
  static of(draft: PlanDraft, node: PlanNode): KGroupedStream<any, any> {
    return new GroupedSteps(draft, node) as unknown as KGroupedStream<any, any>
  }

  count(opts: State = {}) {
    return this.fold('count', countSpec, opts)
  }

  reduce(fn: unknown, opts: ReduceOptions<any, any, Duration> = {}) {
    return this.fold('reduce', reduceSpec(fn, opts.associative === true), opts)
  }

  aggregate(...args: unknown[]) {
    const [spec, opts] = aggregateArguments(args)
    return this.fold('aggregate', spec, opts)
  }

  topN(n: number, by: (value: any, key: any) => any, opts: State = {}) {
    return this.fold('topN', topNSpec(n, by), opts)
  }

  windowedBy(windows: unknown, opts: StepOptions = {}) {
    return WindowedSteps.of(this.draft, this.node, windows, opts.name)
  }

  cogroup(init: unknown, add: unknown) {
    const adder = needFunction(add, 'cogroup add')
    return CogroupSteps.start(this.draft, needFunction(init, 'cogroup init'), { node: this.node, adder })
  }

  match(patterns: unknown, opts: MatchOptions<any, any> = {}) {
    return MatchSteps.of(this, patterns, opts)
  }

  private fold(operation: string, spec: AggregateSpec, opts: State) {
    return aggregateStep(this.draft, operation, [this.node], spec, opts)
  }
}
