import type { Timestamp } from './time/index.ts'

export interface HeadersView extends Iterable<readonly [string, Uint8Array]> {
  get(name: string): Uint8Array | undefined
  text(name: string): string | undefined
}
export type HeadersInit =
  | Readonly<Record<string, string | Uint8Array>>
  | Iterable<readonly [string, string | Uint8Array]>

/** A read-only view, valid during the call it was handed to. `copy()` keeps it. */
export interface RecordView {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: Timestamp
  readonly headers: HeadersView
  copy(): RecordCopy
}
export type RecordCopy = Readonly<Omit<RecordView, 'copy'>>

/** A record as it came from the broker: what handlers of bad bytes get. */
export interface RawRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: Timestamp
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: HeadersView
}

/** User functions take the value first. Values and keys are read-only to them (frozen in tests and with `strict`). */
export type Fn<K, V, R> = (value: V, key: K, record: RecordView) => R
