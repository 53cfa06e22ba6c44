import { DhaaraError } from '../../errors/index.ts'
import type { WindowTable } from '../../state/stores/index.ts'

interface WindowedRow {
  readonly key: unknown
  readonly window: { readonly start: number; readonly end: number }
}
type Rows = Iterable<readonly [WindowedRow, unknown]>
type Handed = (value: unknown) => unknown

const asItIs: Handed = (value) => value

/** A window store as user code sees it; `fetch` finds windows that start in [from, to]. */
export class WindowAccess {
  private readonly table: WindowTable
  private readonly windowOf: (start: number) => WindowedRow['window']
  private readonly show: Handed

  /** @param windowOf the window of a start of the table */
  constructor(table: WindowTable, windowOf: (start: number) => WindowedRow['window'], show: Handed) {
    this.table = table
    this.windowOf = windowOf
    this.show = show
  }

  *fetch(key: unknown, from: number, to: number): Rows {
    for (const start of [...this.table.liveStarts]) {
      const window = this.windowOf(start)
      if (window.start < from || window.start > to) continue
      const value = this.get(key, start)
      if (value !== undefined) yield [{ key, window }, value]
    }
  }

  *fetchAll(from: number, to: number): Rows {
    for (const start of [...this.table.liveStarts]) {
      const window = this.windowOf(start)
      const bucket = window.start < from || window.start > to ? undefined : this.table.peek(start)
      if (bucket === undefined) continue
      for (const entry of this.table.rows(bucket)) {
        const value = this.show(entry.value)
        if (value !== undefined) yield [{ key: entry.key, window }, value]
      }
    }
  }

  get(key: unknown, start: number): unknown {
    const value = this.table.peek(start)?.load(key).value
    return value === undefined ? undefined : this.show(value)
  }
}

/** A window store of `stores.window`: who puts says where windows start, and nobody where they end. */
export class OwnWindowAccess extends WindowAccess {
  private readonly own: WindowTable
  private readonly retention: number
  private readonly now: () => number
  private readonly keep: Handed

  /**
   * @param retention how far behind the latest start rows are kept, ms
   * @param keep what is kept of what user code hands over
   */
  constructor(table: WindowTable, retention: number, now: () => number, show = asItIs, keep = asItIs) {
    super(table, (start) => ({ start, end: start }), show)
    this.keep = keep
    this.own = table
    this.retention = retention
    this.now = now
  }

  /** What is older than the store's retention is not kept. @throws DhaaraError DHAARA_TIMESTAMP */
  put(key: unknown, value: unknown, start: number): void {
    if (!Number.isSafeInteger(start) || start < 0)
      throw new DhaaraError('DHAARA_TIMESTAMP', `put: found the start ${String(start)}, expected epoch milliseconds`)
    const { own, retention } = this
    const newest = own.liveStarts.at(-1) ?? start
    if (start < newest - retention) return
    const bucket = own.bucket(start)
    const kept = value === null || value === undefined ? undefined : this.keep(value)
    own.set(bucket, bucket.load(key), kept, this.now())
    while ((own.liveStarts[0] as number) < start - retention) own.drop(own.liveStarts[0] as number)
  }
}
