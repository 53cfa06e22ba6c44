import type { UserFn } from '../../../dsl/plan/index.ts'
import type { Entry, KeyValueTable } from '../../../state/stores/index.ts'
import { type Counter, type EmitChange, noEmit, type OperatorContext } from '../operator.ts'
import type { TableReader } from '../table/table-reader.ts'
import type { TableStore, VersionedStore } from '../table/table-store.ts'
import { type Answer, NEVER, type Row } from './messages.ts'

/**
 * What is known of a key: its row, the subscription that it stands for, and the last answer. Until the first answer the
 * result of before stands: `shown`.
 */
export type Joined = [
  left: unknown,
  leftAt: number,
  number: number,
  from: number,
  answered: boolean,
  right: unknown,
  rightAt: number,
  shown: unknown,
]

interface Stores {
  readonly rows: KeyValueTable
  /** Answers that came before the row that they belong to. */
  readonly early: KeyValueTable
  /** The last subscription that each task of the left table has told of. */
  readonly told: KeyValueTable
}

/**
 * Where a foreign-key join's rows and answers meet, by the left table's key. Rows come in order from one task of the left
 * table; answers come in order from one task of the right table, but from others too as long as a row's earlier foreign key
 * is being given up: only an answer to the row's present subscription counts, so that no stale result comes out, however rows
 * and answers overtake one another.
 */
export class ForeignJoin implements TableReader {
  readonly stepId: number
  out: EmitChange = noEmit
  ts = Number.NEGATIVE_INFINITY
  private readonly never = NEVER
  private readonly joiner: UserFn
  private readonly keepsLeft: boolean
  private readonly stores: Stores
  private readonly needsOld: boolean
  private readonly stale: Counter

  constructor(
    stepId: number,
    name: string,
    how: 'inner' | 'left',
    joiner: UserFn,
    stores: Stores,
    needsOld: boolean,
    ctx: OperatorContext,
  ) {
    this.stepId = stepId
    this.joiner = joiner
    this.keepsLeft = how === 'left'
    this.stores = stores
    this.needsOld = needsOld
    this.stale = ctx.counter(`${name}.stale`)
  }

  /** A row of the left table; null: it is gone. */
  left(key: unknown, message: unknown, ts: number): void {
    const { rows } = this.stores
    const entry = rows.load(key)
    const known = entry.value as Joined | undefined
    if (message === null) {
      if (known === undefined) return
      const old = this.needsOld ? this.result(known, key) : undefined
      const at = known[6] > ts ? known[6] : ts
      const out = this.isOut(known)
      rows.set(entry, undefined, ts)
      if (out) this.out(key, null, old, at)
      return
    }
    const [value, number, from, follows] = message as Row
    if (known !== undefined && known[2] === number && known[3] === from) {
      const old = this.needsOld && known[4] ? this.result(known, key) : undefined
      known[0] = value
      known[1] = ts
      rows.set(entry, known, ts)
      if (known[4] && this.isOut(known)) this.emit(known, key, old)
      return
    }
    this.tell(from, number, ts)
    const shown = known === undefined || !this.isOut(known) ? null : this.result(known, key)
    const next: Joined = [value, ts, number, from, false, null, this.never, shown]
    rows.set(entry, next, ts)
    if (!follows) this.answer(entry, next, null, this.never)
    else this.early(entry, next)
  }

  /** A row of the right table, for who asked. */
  right(key: unknown, message: unknown, ts: number): void {
    const [row, at, number, from] = message as Answer
    const { rows, early, told } = this.stores
    const entry = rows.load(key)
    const known = entry.value as Joined | undefined
    if (known !== undefined && known[2] === number && known[3] === from) {
      this.answer(entry, known, row, at)
      return
    }
    if (number <= ((told.get(from) as number | undefined) ?? 0)) {
      this.stale.n++
      return
    }
    // of answers to several rows that are on their way, the last row's counts
    const kept = early.get(key) as Answer | undefined
    if (kept !== undefined && kept[3] === from && kept[2] > number) this.stale.n++
    else early.put(key, [row, at, number, from] satisfies Answer, ts)
  }

  get(key: unknown): unknown {
    const known = this.stores.rows.load(key).value as Joined | undefined
    if (known === undefined) return undefined
    this.ts = Math.max(known[1], known[6])
    return this.result(known, key) ?? undefined
  }

  private early(entry: Entry, known: Joined): void {
    const { early } = this.stores
    const found = early.load(entry.key)
    if (found.value === undefined) return
    const [row, at, number, from] = found.value as Answer
    if (from === known[3] && number > known[2]) return
    early.set(found, undefined, entry.ts)
    if (from === known[3] && number === known[2]) this.answer(entry, known, row, at)
  }

  private answer(entry: Entry, known: Joined, row: unknown, at: number): void {
    const { key } = entry
    const was = this.isOut(known)
    const old = was && this.needsOld ? this.result(known, key) : null
    known[4] = true
    known[5] = row
    known[6] = at
    known[7] = null
    this.stores.rows.set(entry, known, at > entry.ts ? at : entry.ts)
    if (was || this.isOut(known)) this.emit(known, key, old)
    // the time of its going, which counts for what that brought about only
    if (row === null) known[6] = NEVER
  }

  private emit(known: Joined, key: unknown, old: unknown): void {
    const at = known[1] > known[6] ? known[1] : known[6]
    this.out(key, this.row(known, key), this.needsOld ? old : undefined, at)
  }

  private isOut(known: Joined): boolean {
    return known[4] ? known[5] !== null || this.keepsLeft : known[7] !== null
  }

  /** What has come out. */
  private result(known: Joined, key: unknown): unknown {
    return known[4] ? this.row(known, key) : known[7]
  }

  private row(known: Joined, key: unknown): unknown {
    return known[5] === null && !this.keepsLeft ? null : (this.joiner(known[0], known[5], key) ?? null)
  }

  private tell(from: number, number: number, ts: number): void {
    const { told } = this.stores
    const entry = told.load(from)
    if (number > ((entry.value as number | undefined) ?? 0)) told.set(entry, number, ts)
  }
}

/** A foreign-key join whose rows are kept: what comes out has gone through its store. */
export class KeptForeignJoin {
  readonly stepId: number
  private readonly join: ForeignJoin
  private readonly kept: TableStore | VersionedStore

  constructor(join: ForeignJoin, kept: TableStore | VersionedStore) {
    this.stepId = join.stepId
    this.join = join
    this.kept = kept
    join.out = (key, value, _old, ts) => kept.process(key, value, ts)
  }

  set out(out: EmitChange) {
    this.kept.out = out
  }

  get out(): EmitChange {
    return this.kept.out
  }

  left(key: unknown, message: unknown, ts: number): void {
    this.join.left(key, message, ts)
  }

  right(key: unknown, message: unknown, ts: number): void {
    this.join.right(key, message, ts)
  }
}
