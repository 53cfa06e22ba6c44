import type { SubscriptionTable } from '../../../state/stores/index.ts'
import { type EmitChange, noEmit } from '../operator.ts'
import type { TableReader } from '../table/table-reader.ts'
import { type Answer, type Follow, NEVER } from './messages.ts'

/** At the right table of a foreign-key join: tells those who follow a row what it is now, and at each change. */
export class ForeignLookup {
  readonly stepId: number
  out: EmitChange = noEmit
  private readonly never = NEVER
  private readonly rows: TableReader
  private readonly subscriptions: SubscriptionTable

  constructor(stepId: number, rows: TableReader, subscriptions: SubscriptionTable) {
    this.stepId = stepId
    this.rows = rows
    this.subscriptions = subscriptions
  }

  /** Somebody follows a row, or follows it no more. */
  left(foreign: unknown, follow: unknown, ts: number): void {
    const [key, number, from] = follow as Follow
    if (number === 0) {
      this.subscriptions.remove(foreign, key)
      return
    }
    this.subscriptions.add(foreign, key, number, from)
    const row = this.rows.get(foreign) ?? null
    const at = row === null ? this.never : this.rows.ts
    this.out(key, [row, at, number, from] satisfies Answer, undefined, at > ts ? at : ts)
  }

  /** A row has changed. */
  right(foreign: unknown, row: unknown, ts: number): void {
    for (const { key, number, from } of this.subscriptions.of(foreign))
      this.out(key, [row, ts, number, from] satisfies Answer, undefined, ts)
  }
}
