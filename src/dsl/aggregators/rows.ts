import type { AggregateSpec, UserFn } from '../plan/index.ts'

type Rows = [state: unknown, rows: number]

/**
 * A built-in aggregator over the rows of a table group: counts them beside its state, so that the group's row is deleted
 * when its last row leaves (a mean of nothing is no number).
 */
export function overRows(spec: AggregateSpec): AggregateSpec {
  const add = spec.adders[0] as UserFn
  const subtract = spec.subtract as UserFn
  const init = spec.init as UserFn
  const { merge: _, ...rest } = spec
  return {
    ...rest,
    kind: 'aggregate',
    init: (): Rows => [init(), 0],
    adders: [(s: Rows, value: unknown, key: unknown): Rows => [add(s[0], value, key), s[1] + 1]],
    subtract: (s: Rows, value: unknown, key: unknown): Rows | null =>
      s[1] <= 1 ? null : [subtract(s[0], value, key), s[1] - 1],
    result: (s: Rows) => (spec.result === undefined ? s[0] : spec.result(s[0])),
    mergeable: false,
  }
}
