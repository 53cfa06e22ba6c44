import type { PlanDraft } from '../builder/draft.ts'
import type { StateOptions } from '../options.ts'
import type { AggregateSpec, EmitSpec, PlanNode, WindowSpec } from '../plan/index.ts'
import { storeSpec, windowStoreKind } from '../stores/index.ts'
import type { KTable } from '../table/types.ts'
import type { Duration } from '../time/index.ts'
import type { LateOutputs } from '../windowed/late.ts'

export interface Windowing {
  readonly windows: WindowSpec
  readonly emit: EmitSpec
  readonly late: LateOutputs
}

/** All stream aggregations come down to this one step: windows and several inputs (cogroup) are options of it. */
export function aggregateStep(
  draft: PlanDraft,
  operation: string,
  inputs: readonly PlanNode[],
  spec: AggregateSpec,
  opts: StateOptions<any, any, Duration>,
  windowing?: Windowing,
  stepName?: string,
): KTable<any, any> {
  const [input] = inputs as [PlanNode]
  const base = draft.step(operation, inputs, opts.name ?? stepName)
  // what is stored is the state, and only without `result` the user's serde speaks of it
  const value = spec.result === undefined ? opts.value : undefined
  const windows = windowing?.windows
  const use = windows === undefined ? {} : { kind: windowStoreKind(windows) }
  const node = draft.add({
    ...base,
    kind: 'aggregate',
    table: true,
    // a windowed key has another serde than the key in it
    key: windows === undefined ? (opts.key ?? input.key) : undefined,
    value: opts.value,
    spec: Object.freeze(spec),
    ...(windows === undefined ? {} : { windows }),
    emit: windowing?.emit ?? { mode: 'update' },
    store: storeSpec(opts.store, { step: base.name, value, ...use }),
    twoPhase: opts.twoPhase === true,
  })
  windowing?.late.attach(draft, node, { key: input.key, value: input.value })
  return draft.table(node)
}
