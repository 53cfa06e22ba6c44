import type { BroadcastRules } from '../../../dsl/process/types.ts'
import type { KeyValueTable } from '../../../state/stores/index.ts'
import type { Counter, OperatorContext } from '../operator.ts'

/**
 * The rules of a `withBroadcast`: each task has all of them, as rows of its own store, so that they are those of the
 * checkpoint after a restore. They are few: all are held decoded, too.
 */
export class Broadcast implements BroadcastRules<unknown, unknown> {
  private readonly table: KeyValueTable
  private readonly copy: ((value: unknown) => unknown) | undefined
  private readonly held = new Map<string | number, readonly [unknown, unknown]>()
  /** In the order of their keys, which outlives a restore; undefined: a rule has changed. */
  private sorted: (readonly [unknown, unknown])[] | undefined = undefined
  private readonly nullKeys: Counter

  /** @param copy given where somebody may go on changing values that are kept here */
  constructor(
    name: string,
    table: KeyValueTable,
    copy: ((value: unknown) => unknown) | undefined,
    ctx: OperatorContext,
  ) {
    this.table = table
    this.copy = copy
    this.nullKeys = ctx.dropped(name, 'null-key')
    for (const { key, value } of table.scan()) this.held.set(table.space.keys.id(key), [key, value])
  }

  /** A rule comes, or goes. */
  process(key: unknown, value: unknown, ts: number): void {
    if (key === null || key === undefined) {
      this.nullKeys.n++
      return
    }
    const { table, held } = this
    const entry = table.load(key)
    this.sorted = undefined
    if (value === null || value === undefined) {
      held.delete(table.space.keys.id(key))
      if (entry.value !== undefined) table.set(entry, undefined, ts)
      return
    }
    const kept = this.copy === undefined ? value : this.copy(value)
    held.set(table.space.keys.id(key), [key, kept])
    table.set(entry, kept, ts)
  }

  get(key: unknown): unknown {
    return this.held.get(this.table.space.keys.id(key))?.[1]
  }

  get size(): number {
    return this.held.size
  }

  [Symbol.iterator](): Iterator<readonly [unknown, unknown]> {
    if (this.sorted === undefined) {
      const { compare } = this.table.space.keys
      this.sorted = [...this.held.values()].sort((a, b) => compare(a[0], b[0]))
    }
    return this.sorted[Symbol.iterator]()
  }
}
