import type { KeyValueTable } from '../../state/stores/index.ts'

/** key -> list of values, in order of appending. One row a key. */
export class ListAccess {
  private readonly table: KeyValueTable
  private readonly now: () => number

  constructor(table: KeyValueTable, now: () => number) {
    this.table = table
    this.now = now
  }

  values(key: unknown): Iterable<unknown> {
    return [...((this.table.load(key).value as unknown[] | undefined) ?? [])]
  }

  length(key: unknown): number {
    return (this.table.load(key).value as unknown[] | undefined)?.length ?? 0
  }

  append(key: unknown, value: unknown): void {
    const entry = this.table.load(key)
    const list = (entry.value as unknown[] | undefined) ?? []
    list.push(value)
    this.table.set(entry, list, this.now())
  }

  shift(key: unknown): unknown {
    const entry = this.table.load(key)
    const list = entry.value as unknown[] | undefined
    if (list === undefined) return undefined
    const first = list.shift()
    this.table.set(entry, list.length === 0 ? undefined : list, this.now())
    return first
  }

  clear(key: unknown): void {
    const entry = this.table.load(key)
    if (entry.value !== undefined) this.table.set(entry, undefined, this.now())
  }
}
