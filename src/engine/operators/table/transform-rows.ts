import type { StateContext } from '../../../dsl/process/types.ts'
import type { UserFn } from '../../../dsl/plan/index.ts'
import { type EmitChange, noEmit } from '../operator.ts'
import type { TableStore } from './table-store.ts'

interface Transformer {
  transform(value: unknown, key: unknown): unknown
  close?(): void
}

/**
 * `KTable.transformValues`: a row for a row, by code that has stores of its own. What it says of a row may change from one
 * call to the next, so that old rows come from the rows that are kept, where somebody asks for them.
 */
export class TransformRows {
  readonly stepId: number
  private downstream: EmitChange = noEmit
  private readonly transformer: Transformer
  private readonly transform: UserFn
  private readonly kept: TableStore | undefined

  /** @param guard wraps what is called with rows */
  constructor(
    stepId: number,
    supplier: UserFn,
    context: StateContext,
    guard: (fn: UserFn) => UserFn,
    kept: TableStore | undefined,
  ) {
    this.stepId = stepId
    const transformer = supplier(context) as Transformer
    this.transformer = transformer
    this.transform = guard((value, key) => transformer.transform(value, key))
    this.kept = kept
  }

  set out(out: EmitChange) {
    this.downstream = out
    if (this.kept !== undefined) this.kept.out = out
  }

  get out(): EmitChange {
    return this.downstream
  }

  process(key: unknown, value: unknown, _old: unknown, ts: number): void {
    const row = value === null || value === undefined ? null : (this.transform(value, key) ?? null)
    if (this.kept === undefined) this.downstream(key, row, undefined, ts)
    else this.kept.process(key, row, ts)
  }

  end(): void {}

  close(): void {
    this.transformer.close?.()
  }
}
