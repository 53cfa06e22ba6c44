import type { Aggregator } from '../aggregators/index.ts'
import type { brand } from '../brand.ts'
import type { Gone, KeyLike, Nullish, Row } from '../helpers.ts'
import type { SerdeOptions, StateOptions, StepOptions } from '../options.ts'
import type { StateContext } from '../process/types.ts'
import type { OrderedKey, OrderOf } from '../serdes/types.ts'
import type { StoreHandle, TableHandle, TableStoreHandle } from '../stores/index.ts'
import type { KStream } from '../stream/types.ts'
import type { UntilTimeLimit, UntilWindowCloses } from '../suppress/types.ts'
import type { Windowed } from '../windows/index.ts'

/** D is null if rows can be deleted, else never. Row functions never see deletions: those pass through. */
export interface KTable<K, V, D extends null = null> {
  /**
   * A handle for `app.store`, `ctx.store` and the test driver; of tables that keep state (sources, aggregates, joins, or
   * `{store}` given), others are refused.
   */
  readonly store: TableStoreHandle<K, V>
  filter<S extends V>(guard: (value: V, key: K) => value is S, opts?: StateOptions<K, V>): KTable<K, S>
  filter(predicate: (value: V, key: K) => boolean, opts?: StateOptions<K, V>): KTable<K, V>
  filterNot(predicate: (value: V, key: K) => boolean, opts?: StateOptions<K, V>): KTable<K, V>
  mapValues<VO>(fn: (value: V, key: K) => VO, opts?: StateOptions<K, VO>): KTable<K, Row<VO>, D | Gone<VO>>
  transformValues<VO>(
    supplier: (ctx: StateContext) => { transform(value: V, key: K): VO; close?(): void },
    opts?: StateOptions<K, VO> & { readonly stores?: readonly StoreHandle[] },
  ): KTable<K, Row<VO>, D | Gone<VO>>
  toStream(opts?: StepOptions): KStream<K, V | D>
  groupBy<KO extends KeyLike, VO>(
    fn: (value: V, key: K) => readonly [KO | Nullish, VO] | Nullish,
    opts?: SerdeOptions<KO, VO>,
  ): KGroupedTable<KO, Row<VO>>
  /** Foreign key: `other`'s row for the key that `foreignKey` finds in this row. One result a row of this table. */
  join<KO, VO, VR, DO extends null>(
    other: KTable<KO, VO, DO>,
    foreignKey: (value: V, key: K) => NoInfer<KO> | Nullish,
    joiner: (left: V, right: VO, key: K) => VR,
    opts?: StateOptions<K, VR>,
  ): KTable<K, Row<VR>, null>
  /** Same key. */
  join<VO, VR, DO extends null>(
    other: KTable<K, VO, DO>,
    joiner: (left: V, right: VO, key: K) => VR,
    opts?: StateOptions<K, VR>,
  ): KTable<K, Row<VR>, D | DO | Gone<VR>>
  leftJoin<KO, VO, VR, DO extends null>(
    other: KTable<KO, VO, DO>,
    foreignKey: (value: V, key: K) => NoInfer<KO> | Nullish,
    joiner: (left: V, right: VO | null, key: K) => VR,
    opts?: StateOptions<K, VR>,
  ): KTable<K, Row<VR>, D | Gone<VR>>
  leftJoin<VO, VR, DO extends null>(
    other: KTable<K, VO, DO>,
    joiner: (left: V, right: VO | null, key: K) => VR,
    opts?: StateOptions<K, VR>,
  ): KTable<K, Row<VR>, D | Gone<VR>>
  outerJoin<VO, VR, DO extends null>(
    other: KTable<K, VO, DO>,
    joiner: (left: V | null, right: VO | null, key: K) => VR,
    opts?: StateOptions<K, VR>,
  ): KTable<K, Row<VR>, (D & DO) | Gone<VR>>
  /** `untilWindowCloses` only on windowed tables. */
  suppress(
    policy: UntilTimeLimit | (K extends Windowed<unknown> ? UntilWindowCloses : never),
    opts?: StateOptions<K, V>,
  ): KTable<K, V, D>
}

/** A whole topic in every task, for joins by any key. */
export interface GlobalKTable<K, V> {
  readonly store: TableHandle<K, V, OrderOf<K>>
  readonly [brand]: 'global'
}

/** Rows of a table, regrouped: a row that changes leaves its old group and enters its new one. */
export interface KGroupedTable<K, V> {
  /** Stays at 0 after its last row has left. */
  count(opts?: StateOptions<K, number>): KTable<K, number, never>
  reduce(
    fns: { readonly add: (aggregate: V, value: V) => V; readonly subtract: (aggregate: V, value: V) => V },
    opts?: StateOptions<K, V>,
  ): KTable<K, V>
  /** The row of a group is deleted when its last row leaves. */
  aggregate<R>(aggregator: Aggregator<V, R, 'subtractable'>, opts?: StateOptions<K, R>): KTable<K, R>
  aggregate<A>(
    init: () => A,
    fns: {
      readonly add: (aggregate: A, value: V, key: K) => A
      readonly subtract: (aggregate: A, value: V, key: K) => A
    },
    opts?: StateOptions<K, A>,
  ): KTable<K, Row<A>>
  /** Keeps all rows of a group, since when one of the best leaves, the next must be known. Sends a row when the best change. */
  topN(n: number, by: (value: V, key: K) => OrderedKey, opts?: StateOptions<K, readonly V[]>): KTable<K, readonly V[]>
}
