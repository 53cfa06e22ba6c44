import type { Aggregator } from '../aggregators/index.ts'
import type { CogroupedStream } from '../cogroup/types.ts'
import type { Expires, Gone, Row } from '../helpers.ts'
import type { MatchedStream, MatchOptions, TaggedMatch, TaggedPartial } from '../match/types.ts'
import type { AggregateOptions, ReduceOptions, StateOptions, StepOptions } from '../options.ts'
import type { Pattern, PatternStart } from '../pattern/index.ts'
import type { OrderedKey } from '../serdes/types.ts'
import type { KTable } from '../table/types.ts'
import type { Duration } from '../time/index.ts'
import type { WindowedStream } from '../windowed/types.ts'
import type { WindowFactory, WindowKind, Windows } from '../windows/index.ts'

// `aggregate`: the aggregator's overload comes first, else lambdas inside `aggregators({…})` do not infer.
/** Records by key, to be aggregated or matched. Null keys and values are dropped and counted. */
export interface KGroupedStream<K, V> {
  count<T extends Duration = never>(opts?: StateOptions<K, number, T>): KTable<K, number, Expires<T>>
  /** The first value of a key is its first aggregate. Sessions merge by `fn` too. */
  reduce<T extends Duration = never>(
    fn: (aggregate: V, value: V) => V,
    opts?: ReduceOptions<K, V, T>,
  ): KTable<K, V, Expires<T>>
  aggregate<R, T extends Duration = never>(
    aggregator: Aggregator<V, R>,
    opts?: StateOptions<K, R, T>,
  ): KTable<K, R, Expires<T>>
  /** Returning null deletes the row. `add` may change the aggregate in place and return it. */
  aggregate<A, T extends Duration = never>(
    init: () => A,
    add: (aggregate: A, value: V, key: K) => A,
    opts?: AggregateOptions<K, A, T>,
  ): KTable<K, Row<A>, Gone<A> | Expires<T>>
  /** The n values of the highest `by`, highest first, ties in order of arrival. A record that is not among them sends no row. */
  topN<T extends Duration = never>(
    n: number,
    by: (value: V, key: K) => OrderedKey,
    opts?: StateOptions<K, readonly V[], T>,
  ): KTable<K, readonly V[], Expires<T>>
  windowedBy<W extends WindowKind>(
    windows: Windows<W, V, K> | ((w: WindowFactory<V, K>) => Windows<W, V, K>),
    opts?: StepOptions,
  ): WindowedStream<K, V, W>
  cogroup<A>(init: () => A, add: (aggregate: A, value: V, key: K) => A): CogroupedStream<K, A>
  match<M>(
    pattern: Pattern<V, M> | ((p: PatternStart<V>) => Pattern<V, M>),
    opts?: MatchOptions<V, M>,
  ): MatchedStream<K, V, M, Partial<M>>
  /** Several patterns over one buffer; matches are tagged `{pattern, match}`. */
  match<P extends Readonly<Record<string, Pattern<V, any>>>>(
    patterns: P,
    opts?: MatchOptions<V, any>,
  ): MatchedStream<K, V, TaggedMatch<P>, TaggedPartial<P>>
}
