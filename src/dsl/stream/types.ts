import type { AsyncCall, AsyncOptions } from '../async/types.ts'
import type { OwnSinkOptions, Sink, SinkConnector, SinkTask } from '../connect/types.ts'
import type { KGroupedStream } from '../grouped/types.ts'
import type { Expires, Gone, KeyLike, Nullish, Row } from '../helpers.ts'
import type { SerdeOptions, StateOptions, StepOptions, StoreOptions } from '../options.ts'
import type {
  BroadcastRules,
  ProcessOptions,
  Processor,
  ProcessorContext,
  ValueProcessorContext,
} from '../process/types.ts'
import type { Fn, HeadersInit, RecordView } from '../records.ts'
import type { Serde, Serializer } from '../serdes/types.ts'
import type { Split } from '../split/types.ts'
import type { GlobalKTable, KTable } from '../table/types.ts'
import type { Duration } from '../time/index.ts'
import type { JoinWindows } from '../windows/index.ts'

/**
 * A stream of events. Invariant: write helpers generically, `<V extends Base>(s: KStream<string, V>) => …`. A record's
 * key may be null here: grouping and inner joins drop (and count) such records, and their types lose the null.
 */
export interface KStream<K, V> {
  filter<S extends V>(guard: (value: V, key: K, record: RecordView) => value is S, opts?: StepOptions): KStream<K, S>
  filter(predicate: Fn<K, V, boolean>, opts?: StepOptions): KStream<K, V>
  filterNot<S extends V>(
    guard: (value: V, key: K, record: RecordView) => value is S,
    opts?: StepOptions,
  ): KStream<K, Exclude<V, S>>
  filterNot(predicate: Fn<K, V, boolean>, opts?: StepOptions): KStream<K, V>
  mapValues<VO>(fn: Fn<K, V, VO>, opts?: StepOptions & { readonly value?: Serde<Row<VO>> }): KStream<K, VO>
  map<KO, VO>(fn: Fn<K, V, readonly [KO, VO]>, opts?: SerdeOptions<KO, VO>): KStream<KO, VO>
  flatMap<KO, VO>(fn: Fn<K, V, Iterable<readonly [KO, VO]>>, opts?: SerdeOptions<KO, VO>): KStream<KO, VO>
  flatMapValues<VO>(
    fn: Fn<K, V, Iterable<VO>>,
    opts?: StepOptions & { readonly value?: Serde<Row<VO>> },
  ): KStream<K, VO>
  selectKey<KO extends KeyLike>(fn: Fn<K, V, KO>, opts?: SerdeOptions<KO, V>): KStream<KO, V>
  selectKey<KO extends KeyLike>(fn: Fn<K, V, KO | Nullish>, opts?: SerdeOptions<KO, V>): KStream<KO | null, V>
  peek(fn: Fn<K, V, void>, opts?: StepOptions): KStream<K, V>
  forEach(fn: Fn<K, V, void>, opts?: StepOptions): void
  /** One line a record to standard error. */
  print(opts?: StepOptions & { readonly label?: string }): KStream<K, V>
  merge<KO, VO>(other: KStream<KO, VO>, opts?: StepOptions): KStream<K | KO, V | VO>
  /** First match wins; see Split. */
  split(opts?: StepOptions): Split<K, V, V, {}>
  repartition(
    opts?: SerdeOptions<K, V> & {
      readonly partitions?: number
      partitioner?(value: V, key: K, partitions: number): number
    },
  ): KStream<K, V>
  /** Equal = same key and same `by`, within d of event time. Over all keys: `selectKey(id)` first. */
  deduplicate(
    by: Fn<K, V, unknown>,
    opts: StateOptions<K, V> & { readonly within: Duration; readonly keep?: 'first' | 'latest' },
  ): KStream<Row<K>, V>
  to(topic: string | Fn<K, V, string>, opts?: SinkOptions<K, V>): void
  /**
   * To a sink that is no topic. What comes there was committed before, and comes again after a crash: see `Sink`.
   * @param sink the sink, or what makes one for each task
   * @throws DhaaraError DHAARA_SINK_RECOVER if it has `commit` and no `recover`
   */
  sink(sink: Sink<K, V> | SinkConnector<K, V> | ((task: SinkTask) => Sink<K, V>), opts?: OwnSinkOptions<K, V>): void
  /** Null values delete. */
  toTable<T extends Duration = never>(opts?: StateOptions<K, V, T>): KTable<Row<K>, Row<V>, Gone<V> | Expires<T>>
  groupByKey(opts?: SerdeOptions<K, V>): KGroupedStream<Row<K>, Row<V>>
  groupBy<KO extends KeyLike>(fn: Fn<K, V, KO | Nullish>, opts?: SerdeOptions<KO, V>): KGroupedStream<KO, Row<V>>
  // In this order, so that an error speaks of the overload that was meant.
  /** Stream-global table: the row is looked up by a key of the record's choice. */
  join<GK, GV, VR>(
    table: GlobalKTable<GK, GV>,
    lookup: Fn<K, V, NoInfer<GK> | Nullish>,
    joiner: (value: Row<V>, row: GV, key: K) => VR,
    opts?: StepOptions,
  ): KStream<K, VR>
  /** Stream-table: the row's present value, or with `grace` (versioned table) its value as of the record's time. */
  join<VT, VR, D extends null>(
    table: KTable<Row<K>, VT, D>,
    joiner: (value: Row<V>, row: VT, key: Row<K>) => VR,
    opts?: TableJoinOptions<K, V>,
  ): KStream<Row<K>, VR>
  /** Stream-stream: windowed by event time. */
  join<KO extends Row<K> | null, VO, VR>(
    other: KStream<KO, VO>,
    joiner: (left: Row<V>, right: Row<VO>, key: Row<K>) => VR,
    windows: JoinWindows,
    opts?: StreamJoinOptions<K, V, VO>,
  ): KStream<Row<K>, VR>
  /** A missing side is null. A null-key record of the left comes out at once, unmatched. */
  leftJoin<GK, GV, VR>(
    table: GlobalKTable<GK, GV>,
    lookup: Fn<K, V, NoInfer<GK> | Nullish>,
    joiner: (value: Row<V>, row: GV | null, key: K) => VR,
    opts?: StepOptions,
  ): KStream<K, VR>
  leftJoin<VT, VR, D extends null>(
    table: KTable<Row<K>, VT, D>,
    joiner: (value: Row<V>, row: VT | null, key: K) => VR,
    opts?: TableJoinOptions<K, V>,
  ): KStream<K, VR>
  leftJoin<KO extends Row<K> | null, VO, VR>(
    other: KStream<KO, VO>,
    joiner: (left: Row<V>, right: Row<VO> | null, key: K) => VR,
    windows: JoinWindows,
    opts?: StreamJoinOptions<K, V, VO>,
  ): KStream<K, VR>
  /** Only with another stream. */
  outerJoin<KO extends Row<K> | null, VO, VR>(
    other: KStream<KO, VO>,
    joiner: (left: Row<V> | null, right: Row<VO> | null, key: K) => VR,
    windows: JoinWindows,
    opts?: StreamJoinOptions<K, V, VO>,
  ): KStream<K, VR>
  /** Every task holds all rules (latest value by key; null deletes). */
  withBroadcast<RK, RV, VO>(
    rules: KStream<RK, RV>,
    fn: (value: V, rules: BroadcastRules<Row<RK>, Row<RV>>, key: K, record: RecordView) => VO,
    opts?: SerdeOptions<RK, RV>,
  ): KStream<K, VO>
  /** Output types cannot be inferred from calls of `forward`: give both, or neither (then input = output). */
  process<KO = K, VO = V>(
    supplier: (ctx: ProcessorContext<Row<K>, KO, VO>) => Processor<K, V>,
    opts?: ProcessOptions<KO, VO>,
  ): KStream<KO, VO>
  /** The key cannot be changed, so nothing is repartitioned behind it. */
  processValues<VO = V>(
    supplier: (ctx: ValueProcessorContext<Row<K>, VO>) => Processor<K, V>,
    opts?: ProcessOptions<K, VO>,
  ): KStream<K, VO>
  mapAsync<VO, VF = never>(
    fn: (value: V, key: K, call: AsyncCall) => Promise<VO>,
    opts?: AsyncOptions<K, V, VO, VF>,
  ): KStream<K, VO | VF>
  /** Short for `groupByKey().match(…)`. */
  match: KGroupedStream<Row<K>, Row<V>>['match']
}

/** The partition of a record: 0 … partitions - 1. */
export type Partitioner<K, V> = (value: V, key: K, partitions: number) => number
export interface SinkOptions<K, V> extends StepOptions {
  readonly key?: Serializer<Row<K>>
  readonly value?: Serializer<Row<V>>
  readonly partitioner?: Partitioner<K, V>
  /** Replaces the record's headers. */
  readonly headers?: Fn<K, V, HeadersInit>
}
export interface StreamJoinOptions<K, V, VO> extends StepOptions {
  readonly key?: Serde<Row<K>>
  readonly left?: Serde<Row<V>>
  readonly right?: Serde<Row<VO>>
  readonly store?: string | StoreOptions
}
export interface TableJoinOptions<K, V> extends SerdeOptions<K, V> {
  readonly grace?: Duration
}
