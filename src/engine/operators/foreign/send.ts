import type { UserFn } from '../../../dsl/plan/index.ts'
import type { KeyValueTable } from '../../../state/stores/index.ts'
import type { Counter, OperatorContext } from '../operator.ts'
import type { Follow, Row } from './messages.ts'

interface Writer {
  process(key: unknown, value: unknown, old: unknown, ts: number): void
}
/** What a key's row follows: the foreign key (null: none), the number of that subscription and the partition that gave it. */
type Following = readonly [foreign: unknown, number: number, from: number]

/**
 * At the left table of a foreign-key join: sends each row to the join, and follows the row that its foreign key names. Only
 * when a row names another, it follows anew.
 */
export class ForeignSend {
  readonly stepId: number
  private readonly foreignKey: UserFn
  private readonly following: KeyValueTable
  private readonly numbers: KeyValueTable
  private readonly rows: Writer
  private readonly follows: Writer
  private readonly partition: number
  private readonly noForeign: Counter | undefined

  constructor(
    stepId: number,
    name: string,
    how: 'inner' | 'left',
    foreignKey: UserFn,
    stores: { readonly following: KeyValueTable; readonly numbers: KeyValueTable },
    to: { readonly rows: Writer; readonly follows: Writer },
    partition: number,
    ctx: OperatorContext,
  ) {
    this.stepId = stepId
    this.foreignKey = foreignKey
    this.following = stores.following
    this.numbers = stores.numbers
    this.rows = to.rows
    this.follows = to.follows
    this.partition = partition
    this.noForeign = how === 'inner' ? ctx.dropped(name, 'null-foreign-key') : undefined
  }

  process(key: unknown, value: unknown, ts: number): void {
    const foreign = value === null ? null : (this.foreignKey(value, key) ?? null)
    const entry = this.following.load(key)
    const known = entry.value as Following | undefined
    if (value === null) {
      if (known === undefined) return
      this.following.set(entry, undefined, ts)
      this.leave(known[0], key, ts)
      this.rows.process(key, null, undefined, ts)
      return
    }
    if (foreign === null && this.noForeign !== undefined) this.noForeign.n++
    if (known !== undefined && this.same(known[0], foreign)) {
      this.rows.process(key, [value, known[1], known[2], foreign !== null] satisfies Row, undefined, ts)
      return
    }
    const number = this.nextNumber(ts)
    this.following.set(entry, [foreign, number, this.partition] satisfies Following, ts)
    this.rows.process(key, [value, number, this.partition, foreign !== null] satisfies Row, undefined, ts)
    if (known !== undefined) this.leave(known[0], key, ts)
    if (foreign !== null) this.follows.process(foreign, [key, number, this.partition] satisfies Follow, undefined, ts)
  }

  private leave(foreign: unknown, key: unknown, ts: number): void {
    if (foreign !== null) this.follows.process(foreign, [key, 0, this.partition] satisfies Follow, undefined, ts)
  }

  private same(a: unknown, b: unknown): boolean {
    if (a === null || b === null) return a === b
    const { id } = this.following.space.keys
    return id(a) === id(b)
  }

  private nextNumber(ts: number): number {
    const entry = this.numbers.load(0)
    const number = ((entry.value as number | undefined) ?? 0) + 1
    this.numbers.set(entry, number, ts)
    return number
  }
}
