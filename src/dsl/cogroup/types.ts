import type { KGroupedStream } from '../grouped/types.ts'
import type { Expires, Gone, Row } from '../helpers.ts'
import type { StateOptions, StepOptions } from '../options.ts'
import type { KTable } from '../table/types.ts'
import type { Duration } from '../time/index.ts'
import type { MergeRequired, WindowGone } from '../windowed/types.ts'
import type { EmitMode, Windowed, WindowKind, Windows } from '../windows/index.ts'

/** One aggregate of several streams. The initial aggregate comes first, so that every adder infers from it. */
export interface CogroupedStream<K, A> {
  cogroup<V>(other: KGroupedStream<K, V>, add: (aggregate: A, value: V, key: K) => A): CogroupedStream<K, A>
  aggregate<T extends Duration = never>(opts?: StateOptions<K, A, T>): KTable<K, Row<A>, Gone<A> | Expires<T>>
  windowedBy<W extends WindowKind>(windows: Windows<W>, opts?: StepOptions): WindowedCogroup<K, A, W>
}
export interface WindowedCogroup<K, A, W extends WindowKind> {
  emit(mode: EmitMode<W>): WindowedCogroup<K, A, W>
  aggregate(
    ...opts: MergeRequired<W, StateOptions<K, A>, { merge(left: A, right: A, key: K): A }>
  ): KTable<Windowed<K>, Row<A>, Gone<A> | WindowGone<W>>
}
