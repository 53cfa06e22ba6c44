import type { SerdeOptions, StepOptions, StoreOptions } from '../options.ts'
import type { MatcherOptions, MatchInfo } from '../pattern/index.ts'
import type { Serde } from '../serdes/types.ts'
import type { KStream } from '../stream/types.ts'
import type { LateOptions, LateSink } from '../windowed/types.ts'

/** Events are taken in event-time order up to the watermark; equal timestamps by `orderBy`, else in arrival order. */
export interface MatchOptions<T, M> extends StepOptions, MatcherOptions<T, M> {
  readonly time?: 'event' | 'processing'
  readonly value?: Serde<T>
  readonly store?: string | StoreOptions
}

export interface MatchedStream<K, T, M, P> {
  /** Results of `timedOut` go into the same stream; undefined gives none. */
  select<R, RT = never>(
    fn: (match: M, key: K, info: MatchInfo) => R,
    opts?: SerdeOptions<K, R> & { timedOut?(partial: P, key: K, at: number): RT },
  ): KStream<K, R | Exclude<RT, undefined>>
  flatSelect<R, RT = never>(
    fn: (match: M, key: K, info: MatchInfo) => Iterable<R>,
    opts?: SerdeOptions<K, R> & { timedOut?(partial: P, key: K, at: number): Iterable<RT> },
  ): KStream<K, R | RT>
  /** Events at or below the watermark when they came. */
  late(sink: LateSink<K, T>, opts?: LateOptions<K, T>): MatchedStream<K, T, M, P>
}
export type { TaggedMatch, TaggedPartial } from '../pattern/index.ts'
