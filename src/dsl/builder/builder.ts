import { needOneOf } from '../checks.ts'
import {
  type AnyOwnSource,
  type OwnSerdeOptions,
  type OwnSourceOptions,
  ownSource,
  type Source,
  type ValueSource,
} from '../connect/index.ts'
import type { Handle } from '../handle.ts'
import type { LogicalPlan } from '../plan/index.ts'
import { type StoreHandle, storeVault } from '../stores/index.ts'
import { StreamSteps } from '../stream/stream.ts'
import type { KStream } from '../stream/types.ts'
import { TableSteps } from '../table/table.ts'
import type { GlobalKTable, KTable } from '../table/types.ts'
import { topologyOf } from '../topology/topology.ts'
import type { Topology } from '../topology/types.ts'
import { PlanDraft } from './draft.ts'
import { type AnySourceOptions, source } from './sources.ts'
import type { NullKeys, SourceOptions, TableSourceOptions } from './types.ts'
import { validate } from './validate/index.ts'

const as = <T>(handle: Handle): T => handle as unknown as T

/**
 * Where a topology begins: sources, then steps on what they give, then `build()`.
 * @example
 * const builder = new StreamsBuilder()
 * builder.stream('orders', { key: serdes.string(), value: serdes.json<Order>() }).filter((o) => o.total > 0).to('paid')
 * export default builder.build()
 */
export class StreamsBuilder {
  readonly #draft = new PlanDraft({
    stream: (draft, node) => as(new StreamSteps(draft, node)),
    table: (draft, node) => as(new TableSteps(draft, node)),
  })

  /**
   * Events of one topic, of several, or of all whose names match. Without `key` the key stays bytes. Null values are
   * dropped and counted (they still move W), unless `tombstones: 'keep'`. `timestamp`, `watermark` and `keyOf` functions
   * are not called for them: the broker's timestamp counts.
   */
  stream<K = Uint8Array, V = unknown, N extends NullKeys = 'keep'>(
    topic: string | readonly string[] | RegExp,
    opts: SourceOptions<K, V, N> & { readonly tombstones: 'keep' },
  ): KStream<N extends 'keep' ? K | null : K, V | null>
  stream<K = Uint8Array, V = unknown, N extends NullKeys = 'keep'>(
    topic: string | readonly string[] | RegExp,
    opts: SourceOptions<K, V, N> & { readonly tombstones?: 'drop' },
  ): KStream<N extends 'keep' ? K | null : K, V>
  stream(topic: string | readonly string[] | RegExp, opts: AnySourceOptions): KStream<any, any> {
    return this.#draft.stream(source(this.#draft, 'stream', topic, opts))
  }

  /**
   * Records that come from no topic: from `read`, which is asked again from the position of the last checkpoint. See `Source`.
   *
   * @param name of the step; positions are kept under it
   * @param opts time, keys and serdes, if they are not given with the source
   */
  source<V, P, K = null, N extends NullKeys = 'keep'>(
    name: string,
    source: ValueSource<V, P>,
    opts?: OwnSourceOptions<K, V, N>,
  ): KStream<N extends 'keep' ? K | null : K, V>
  source<K, V, P, N extends NullKeys = 'keep'>(
    name: string,
    source: Source<K | Uint8Array, Uint8Array, P>,
    opts: OwnSourceOptions<K, V, N> & OwnSerdeOptions<K, V>,
  ): KStream<N extends 'keep' ? K | null : K, V>
  source<K, V, P, N extends NullKeys = 'keep'>(
    name: string,
    source: Source<K, V, P> & OwnSourceOptions<K, V, N> & { readonly key?: never; readonly value?: never },
    opts?: OwnSourceOptions<K, V, N> & { readonly key?: never; readonly value?: never },
  ): KStream<N extends 'keep' ? K | null : K, V>
  source<K, V, P, N extends NullKeys = 'keep'>(
    name: string,
    source: Source<K | Uint8Array, Uint8Array, P> & OwnSourceOptions<K, V, N> & OwnSerdeOptions<K, V>,
    opts?: OwnSourceOptions<K, V, N>,
  ): KStream<N extends 'keep' ? K | null : K, V>
  source(name: string, source: any, opts: Partial<AnyOwnSource> = {}): KStream<any, any> {
    return this.#draft.stream(ownSource(this.#draft, name, source, opts))
  }

  /** The latest value of each key of a topic, kept in a store. A null value deletes. */
  table<K, V>(topic: string, opts: TableSourceOptions<K, V>): KTable<K, V> {
    return this.#draft.table(source(this.#draft, 'table', topic, opts as AnySourceOptions))
  }

  /**
   * A whole topic, whatever its partitions, once in each worker thread: for joins by any key. Each thread reads and keeps all of
   * it; what is greater than some hundred MB should rather be a `table`, whose rows are spread over the tasks.
   */
  globalTable<K, V>(topic: string, opts: TableSourceOptions<K, V>): GlobalKTable<K, V> {
    const node = source(this.#draft, 'globalTable', topic, opts as AnySourceOptions)
    return as(new TableSteps(this.#draft, node))
  }

  /** Adds a store that processors can name; one in a step's `{stores}` need not be added. */
  addStateStore<H extends StoreHandle>(store: H): H {
    const { spec, owned } = storeVault.open(store)
    if (!owned) this.#draft.addStore(spec)
    return store
  }

  /**
   * Checks the plan and freezes it. Can be called again when more steps were added.
   * @param opts naming 'explicit': every step with state, or behind a repartition, must have been named
   * @throws TopologyError that lists every problem
   */
  build(opts: { readonly naming?: 'explicit' } = {}): Topology {
    const naming = needOneOf(opts.naming ?? 'derived', 'build naming', ['explicit', 'derived'])
    const { nodes, stores } = this.#draft
    const plan: LogicalPlan = Object.freeze({
      nodes: Object.freeze([...nodes]),
      stores: Object.freeze([...stores]),
      naming,
    })
    validate(plan)
    return topologyOf(plan)
  }
}
