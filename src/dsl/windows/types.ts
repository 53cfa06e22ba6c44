import type { brand } from '../brand.ts'
import type { CalendarPeriod, Duration, Timestamp } from '../time/index.ts'

export type WindowKind = 'tumbling' | 'hopping' | 'sliding' | 'session' | 'cumulative' | 'unlimited' | 'count'
/** Windows that no time closes. */
export type Endless = 'unlimited' | 'count'

/** [start, end); sliding: both inclusive; session: first and last timestamp. */
export interface Window {
  readonly start: Timestamp
  readonly end: Timestamp
}
export interface Windowed<K> {
  readonly key: K
  readonly window: Window
}

/** Usable windows. V and K are what a session's gap function reads. */
export interface Windows<W extends WindowKind, V = unknown, K = unknown> {
  readonly kind: W
  readonly [brand]: (value: V, key: K) => W
}
/** Not usable yet: how long late records are taken is the caller's decision. */
export interface WindowsWithoutGrace<W extends WindowKind, V = unknown, K = unknown> {
  grace(d: Duration): Windows<W, V, K>
  noGrace(): Windows<W, V, K>
}

export interface WindowOptions {
  readonly offset?: Duration
  readonly timeZone?: string
}
/** By processing time: never late, so without grace. */
export interface WallClockWindow {
  readonly clock: 'wall'
}

/** Makes windows; when each kind closes and what is late is in the guide's page on time. */
export interface WindowFactory<V = unknown, K = unknown> {
  tumbling(size: Duration, opts: WindowOptions & WallClockWindow): Windows<'tumbling'>
  tumbling(
    size: Duration | CalendarPeriod,
    opts: WindowOptions & { readonly timeZone: string },
  ): WindowsWithoutGrace<'tumbling'>
  tumbling(size: Duration, opts?: WindowOptions): WindowsWithoutGrace<'tumbling'>
  hopping(size: Duration, opts: WindowOptions & WallClockWindow & { readonly advance: Duration }): Windows<'hopping'>
  hopping(size: Duration, opts: WindowOptions & { readonly advance: Duration }): WindowsWithoutGrace<'hopping'>
  /** Growing windows that all start at a multiple of `max`: one result a step. */
  cumulative(
    max: Duration | CalendarPeriod,
    opts: WindowOptions & { readonly step: Duration; readonly timeZone: string },
  ): WindowsWithoutGrace<'cumulative'>
  cumulative(max: Duration, opts: WindowOptions & { readonly step: Duration }): WindowsWithoutGrace<'cumulative'>
  /** Kafka Streams' sliding windows: any two records within d, both ends inclusive. */
  sliding(d: Duration): WindowsWithoutGrace<'sliding'>
  session(gap: Duration, opts: WallClockWindow): Windows<'session'>
  session(gap: Duration): WindowsWithoutGrace<'session'>
  /** Inside `windowedBy(w => w.session(v => …))` the value's type is known. */
  session<SV = V, SK = K>(gap: (value: SV, key: SK) => Duration): WindowsWithoutGrace<'session', SV, SK>
  /** One window that never ends. */
  unlimited(): Windows<'unlimited'>
  /** A window for each run of so many records of a key. */
  count(records: number): Windows<'count'>
}

export interface Every {
  readonly [brand]: 'every'
}
/** `update` (default): one result a change; `close`: one final result; `onTime`: at the window's end, then one a late change. */
export type EmitMode<W extends WindowKind> = 'update' | Every | (W extends Endless ? never : 'close' | 'onTime')

/** left.timestamp - before <= right.timestamp <= left.timestamp + after */
export interface JoinWindows {
  readonly [brand]: 'joinWindows'
}
/** Not usable yet: how long late records are taken is the caller's decision. */
export interface JoinWindowsWithoutGrace {
  before(d: Duration): JoinWindowsWithoutGrace
  after(d: Duration): JoinWindowsWithoutGrace
  grace(d: Duration): JoinWindows
  noGrace(): JoinWindows
}
