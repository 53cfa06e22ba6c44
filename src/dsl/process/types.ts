import type { Row } from '../helpers.ts'
import type { SerdeOptions } from '../options.ts'
import type { HeadersInit, RecordView } from '../records.ts'
import type { StoreHandle, StoreOf } from '../stores/index.ts'
import type { Duration, Timestamp } from '../time/index.ts'

/** What any stateful user code gets. */
export interface StateContext {
  readonly taskId: string
  readonly streamTime: Timestamp
  readonly wallTime: Timestamp
  readonly watermark: Timestamp
  /** Only stores named in `{stores}`; a plan error else. A table's store is read-only here. */
  store<H extends StoreHandle>(handle: H): StoreOf<H>
  metrics: { counter(name: string): { add(n?: number): void }; gauge(name: string, read: () => number): void }
}
export interface ForwardOptions {
  readonly timestamp?: Timestamp
  readonly headers?: HeadersInit
}
export interface TimedContext<K> extends StateContext {
  /** Per task. `fn` runs each interval of stream time or of the wall clock. */
  schedule(interval: Duration, clock: 'stream' | 'wall', fn: (at: Timestamp) => void): Disposable
  /**
   * Per key, checkpointed. Event time: fires when W >= at, after the record that moved W. Setting the same name again
   * moves it.
   */
  readonly timers: {
    set(key: K, at: Timestamp, opts?: { readonly name?: string; readonly clock?: 'event' | 'wall' }): void
    get(key: K, name?: string): Timestamp | undefined
    delete(key: K, name?: string): void
  }
}
export interface ProcessorContext<K, KO, VO> extends TimedContext<K> {
  forward(value: VO, key: KO, opts?: ForwardOptions): void
}
export interface ValueProcessorContext<K, VO> extends TimedContext<K> {
  forward(value: VO, opts?: ForwardOptions): void
}
export interface Processor<K, V> {
  process(value: V, key: K, record: RecordView): void
  onTimer?(key: Row<K>, at: Timestamp, name: string | undefined): void
  /** At the end of a bounded input, before the last commit. */
  end?(): void
  close?(): void
}
export interface ProcessOptions<K, V> extends SerdeOptions<K, V> {
  readonly stores?: readonly (StoreHandle | string)[]
}
/** The rules of `withBroadcast`: read-only, the same in every task. */
export interface BroadcastRules<K, V> extends Iterable<readonly [K, V]> {
  get(key: K): V | undefined
  readonly size: number
}
