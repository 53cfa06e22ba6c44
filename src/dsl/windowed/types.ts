import type { Aggregator } from '../aggregators/index.ts'
import type { Gone, Row } from '../helpers.ts'
import type { ReduceOptions, SerdeOptions, StateOptions } from '../options.ts'
import type { OrderedKey } from '../serdes/types.ts'
import type { KStream } from '../stream/types.ts'
import type { KTable } from '../table/types.ts'
import type { EmitMode, Endless, Windowed, WindowKind } from '../windows/index.ts'

export interface LateOptions<K, V> extends SerdeOptions<K, V> {}
/** A topic, or what is to be done with the late records. */
export type LateSink<K, V> = string | ((late: KStream<K, V>) => void)

/** Rows of windowed tables vanish only where sessions merge. */
export type WindowGone<W extends WindowKind> = W extends 'session' ? null : never
export type MergeRequired<W extends WindowKind, O, M> = W extends 'session' ? [opts: O & M] : [opts?: O & Partial<M>]

/** Records by key and window, to be aggregated. */
export interface WindowedStream<K, V, W extends WindowKind> {
  /** When results come out; 'update' if not called. */
  emit(mode: EmitMode<W>): WindowedStream<K, V, W>
  /** Once for each record that was late for every window it belongs to. */
  lateTo(sink: W extends Endless ? never : LateSink<K, V>, opts?: LateOptions<K, V>): WindowedStream<K, V, W>
  count(opts?: StateOptions<K, number>): KTable<Windowed<K>, number, WindowGone<W>>
  reduce(fn: (aggregate: V, value: V) => V, opts?: ReduceOptions<K, V>): KTable<Windowed<K>, V, WindowGone<W>>
  aggregate<R>(aggregator: Aggregator<V, R>, opts?: StateOptions<K, R>): KTable<Windowed<K>, R, WindowGone<W>>
  /** Sessions need `merge`. */
  aggregate<A>(
    init: () => A,
    add: (aggregate: A, value: V, key: K) => A,
    ...opts: MergeRequired<W, StateOptions<K, A> & { readonly pure?: boolean }, { merge(left: A, right: A, key: K): A }>
  ): KTable<Windowed<K>, Row<A>, Gone<A> | WindowGone<W>>
  topN(
    n: number,
    by: (value: V, key: K) => OrderedKey,
    opts?: StateOptions<K, readonly V[]>,
  ): KTable<Windowed<K>, readonly V[], WindowGone<W>>
}
