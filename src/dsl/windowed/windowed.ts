import { DhaaraError } from '../../errors/index.ts'
import { countSpec, topNSpec } from '../aggregators/index.ts'
import type { PlanDraft } from '../builder/draft.ts'
import { aggregateStep, type Windowing } from '../grouped/aggregate-step.ts'
import { aggregateArguments, reduceSpec } from '../grouped/specs.ts'
import type { ReduceOptions, StateOptions } from '../options.ts'
import type { AggregateSpec, PlanNode } from '../plan/index.ts'
import type { Duration } from '../time/index.ts'
import { emitSpec, windows as factory, windowVault } from '../windows/index.ts'
import { LateOutputs } from './late.ts'
import type { LateOptions, LateSink, WindowedStream } from './types.ts'

type State = StateOptions<any, any, Duration>

/** What `windowedBy` was given: windows, or a function of their factory. */
export const openWindows = (given: unknown) => windowVault.open(typeof given === 'function' ? given(factory) : given)

/** Behind `WindowedStream`: an aggregate that is not yet made. */
export class WindowedSteps {
  private readonly draft: PlanDraft
  private readonly node: PlanNode
  private readonly name: string | undefined
  private readonly windowing: Windowing

  private constructor(draft: PlanDraft, node: PlanNode, name: string | undefined, windowing: Windowing) {
    this.draft = draft
    this.node = node
    this.name = name
    this.windowing = windowing
  }

  /** @param name of the step that will follow, unless that has one itself */
  static of(draft: PlanDraft, node: PlanNode, given: unknown, name?: string): WindowedStream<any, any, any> {
    const windowing: Windowing = { windows: openWindows(given), emit: { mode: 'update' }, late: new LateOutputs() }
    return new WindowedSteps(draft, node, name, windowing) as unknown as WindowedStream<any, any, any>
  }

  emit(mode: unknown) {
    return this.with({ emit: emitSpec(mode, this.windowing.windows) })
  }

  lateTo(sink: LateSink<any, any>, opts: LateOptions<any, any> = {}) {
    const { kind } = this.windowing.windows
    if (kind === 'count' || kind === 'unlimited') {
      throw new DhaaraError(
        'DHAARA_OPTION',
        `lateTo: found ${kind} windows, expected windows that time closes; nothing is late here`,
      )
    }
    return this.with({ late: this.windowing.late.with(sink, opts) })
  }

  count(opts: State = {}) {
    return this.fold('count', countSpec, opts)
  }

  reduce(fn: unknown, opts: ReduceOptions<any, any> = {}) {
    return this.fold('reduce', reduceSpec(fn, opts.associative === true), opts)
  }

  aggregate(...args: unknown[]) {
    const [spec, opts] = aggregateArguments(args, this.windowing.windows)
    return this.fold('aggregate', spec, opts)
  }

  topN(n: number, by: (value: any, key: any) => any, opts: State = {}) {
    return this.fold('topN', topNSpec(n, by), opts)
  }

  private with(change: Partial<Windowing>) {
    return new WindowedSteps(this.draft, this.node, this.name, { ...this.windowing, ...change })
  }

  private fold(operation: string, spec: AggregateSpec, opts: State) {
    return aggregateStep(this.draft, operation, [this.node], spec, opts, this.windowing, this.name)
  }
}
