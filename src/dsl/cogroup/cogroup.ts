import { DhaaraError } from '../../errors/index.ts'
import type { PlanDraft } from '../builder/draft.ts'
import { needFunction } from '../checks.ts'
import { aggregateStep, type Windowing } from '../grouped/aggregate-step.ts'
import { aggregateSpec } from '../grouped/specs.ts'
import { Handle } from '../handle.ts'
import type { AggregateOptions, StepOptions } from '../options.ts'
import type { PlanNode, UserFn } from '../plan/index.ts'
import { show } from '../vault.ts'
import { LateOutputs } from '../windowed/late.ts'
import { openWindows } from '../windowed/windowed.ts'
import { emitSpec } from '../windows/index.ts'
import type { CogroupedStream } from './types.ts'

interface Part {
  readonly node: PlanNode
  readonly adder: UserFn
}

/** Behind `CogroupedStream` and `WindowedCogroup`: an aggregate of several inputs that is not yet made. */
export class CogroupSteps {
  private readonly draft: PlanDraft
  private readonly init: UserFn
  private readonly parts: readonly Part[]
  private readonly windowing: Windowing | undefined
  private readonly name: string | undefined

  private constructor(draft: PlanDraft, init: UserFn, parts: readonly Part[], windowing?: Windowing, name?: string) {
    this.draft = draft
    this.init = init
    this.parts = parts
    this.windowing = windowing
    this.name = name
  }

  static start(draft: PlanDraft, init: UserFn, part: Part): CogroupedStream<any, any> {
    return new CogroupSteps(draft, init, [part]) as unknown as CogroupedStream<any, any>
  }

  cogroup(other: unknown, add: unknown) {
    if (!(other instanceof Handle)) {
      throw new DhaaraError(
        'DHAARA_OPTION',
        `cogroup: found ${show(other)}, expected a grouped stream; call groupByKey() on it`,
      )
    }
    const part = { node: other.node, adder: needFunction(add, 'cogroup add') }
    return new CogroupSteps(this.draft, this.init, [...this.parts, part])
  }

  windowedBy(given: unknown, opts: StepOptions = {}) {
    const windowing: Windowing = { windows: openWindows(given), emit: { mode: 'update' }, late: new LateOutputs() }
    return new CogroupSteps(this.draft, this.init, this.parts, windowing, opts.name)
  }

  emit(mode: unknown) {
    const windowing = this.windowing as Windowing
    const emit = emitSpec(mode, windowing.windows)
    return new CogroupSteps(this.draft, this.init, this.parts, { ...windowing, emit }, this.name)
  }

  aggregate(opts: AggregateOptions<any, any, any> = {}) {
    const adders = this.parts.map((part) => part.adder)
    const inputs = this.parts.map((part) => part.node)
    const spec = aggregateSpec(this.init, adders, opts, this.windowing?.windows)
    return aggregateStep(this.draft, 'cogroup', inputs, spec, opts, this.windowing, this.name)
  }
}
