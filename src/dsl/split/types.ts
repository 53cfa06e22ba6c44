import type { Flat, NewName } from '../helpers.ts'
import type { Fn, RecordView } from '../records.ts'
import type { KStream } from '../stream/types.ts'

/** Named branches in order; a type guard (also one that TypeScript infers) narrows its branch and what is left for the next. */
export interface Split<K, V, Rest, B> {
  branch<N extends string, S extends Rest>(
    name: NewName<N, B>,
    guard: (value: Rest, key: K, record: RecordView) => value is S,
  ): Split<K, V, Exclude<Rest, S>, B & { readonly [P in N]: KStream<K, S> }>
  branch<N extends string>(
    name: NewName<N, B>,
    predicate: Fn<K, Rest, boolean>,
  ): Split<K, V, Rest, B & { readonly [P in N]: KStream<K, Rest> }>
  /** The branches, with what matched none under this name. */
  default<N extends string>(name: NewName<N, B>): Flat<B & { readonly [P in N]: KStream<K, Rest> }>
  /** The branches; what matched none is dropped and counted. */
  noDefault(): Flat<B>
}
