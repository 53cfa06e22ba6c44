import type { brand } from '../brand.ts'

export type AggregatorKind = 'mergeable' | 'subtractable'
/** All can be merged (sessions, panes, two-phase); some can subtract too (needed by grouped tables). */
export interface Aggregator<in V, out R, out C extends AggregatorKind = AggregatorKind> {
  readonly [brand]: (value: V) => [R, C]
}
export type AggregatorResults<S> = { readonly [P in keyof S]: S[P] extends Aggregator<never, infer R> ? R : never }
export type AggregatorCapability<S> =
  S[keyof S] extends Aggregator<never, unknown, 'subtractable'> ? 'subtractable' : 'mergeable'
