import type { Counter, OperatorContext } from '../operator.ts'

/** What all aggregations of a stream have in common: records without a key or a value are dropped, and counted. */
export abstract class Grouped {
  private readonly nullKeys: Counter
  private readonly nullValues: Counter

  constructor(name: string, ctx: OperatorContext) {
    this.nullKeys = ctx.dropped(name, 'null-key')
    this.nullValues = ctx.dropped(name, 'null-value')
  }

  /** Is there nothing to be aggregated? */
  protected lacks(key: unknown, value: unknown): boolean {
    if (key === null || key === undefined) {
      this.nullKeys.n++
      return true
    }
    if (value === null || value === undefined) {
      this.nullValues.n++
      return true
    }
    return false
  }
}
