import type { Armed, DueTable } from './due.ts'
import type { Entry } from './entry.ts'
import { KeyValueTable } from './key-value.ts'
import type { StoreSpace } from './space.ts'

/** How long a row lives. It lies beside the row, so that the row's own bytes are what its serde writes. */
export interface Lease extends Armed {
  /** Last millisecond of its life. */
  until: number
}

/** A key-value store whose rows live for a time after they were written last. Whoever runs it deletes what is `due`. */
export class ExpiringTable extends KeyValueTable {
  readonly leases: DueTable<Lease>
  /** Told when something is due earlier than all before it. */
  onArmed: (at: number) => void = () => {}
  /** From when a write counts; given the row's timestamp. */
  writtenAt: (ts: number) => number = (ts) => ts
  private readonly ttl: number

  /** @param ttl milliseconds */
  constructor(space: StoreSpace, epoch: number, leases: DueTable<Lease>, ttl: number) {
    super(space, epoch)
    this.leases = leases
    this.ttl = ttl
  }

  override set(entry: Entry, value: unknown, ts: number): void {
    super.set(entry, value, ts)
    const { leases } = this
    const kept = leases.rows.load(entry.key)
    const known = kept.value as Lease | undefined
    if (value === undefined) {
      if (known !== undefined) leases.rows.set(kept, undefined, Number.NEGATIVE_INFINITY)
      return
    }
    const until = this.writtenAt(ts) + this.ttl - 1
    const lease = known ?? { armedAt: Number.POSITIVE_INFINITY, until }
    // An older write does not shorten a life. One that prolongs it is found out when the time comes.
    if (until > lease.until) lease.until = until
    if (leases.keep(kept, lease, lease, ts, lease.until)) this.onArmed(lease.until)
  }

  /** Rows whose life is over at this time, in the order of its ends; each once. They are still here. */
  due(at: number): { readonly entry: Entry; readonly until: number }[] {
    const { leases, space } = this
    const over: { readonly entry: Entry; readonly until: number }[] = []
    for (const kept of leases.take(at)) {
      const lease = kept.value as Lease
      if (lease.until > at) leases.keep(kept, lease, lease, kept.ts, lease.until)
      else over.push({ entry: this.load(kept.key), until: lease.until })
    }
    leases.forget(at)
    return over.sort((a, b) => a.until - b.until || space.keys.compare(a.entry.key, b.entry.key))
  }
}
