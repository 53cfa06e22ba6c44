import type { KeyValueTable } from '../../state/stores/index.ts'

/** key -> list of values, in order of appending. One row a key. */
export class ListAccess {
  private readonly table: KeyValueTable
  private readonly now: () => number
  private readonly show: (value: unknown) => unknown
  private readonly keep: (value: unknown) => unknown

  constructor(table: KeyValueTable, now: () => number, show = same, keep = same) {
    this.table = table
    this.now = now
    this.show = show
    this.keep = keep
  }

  values(key: unknown): Iterable<unknown> {
    return Array.from((this.table.load(key).value as unknown[] | undefined) ?? [], (value) => this.show(value))
  }

  length(key: unknown): number {
    return (this.table.load(key).value as unknown[] | undefined)?.length ?? 0
  }

  append(key: unknown, value: unknown): void {
    const entry = this.table.load(key)
    const list = (entry.value as unknown[] | undefined) ?? []
    list.push(this.keep(value))
    this.table.set(entry, list, this.now())
  }

  shift(key: unknown): unknown {
    const entry = this.table.load(key)
    const list = entry.value as unknown[] | undefined
    if (list === undefined) return undefined
    const first = list.shift()
    this.table.set(entry, list.length === 0 ? undefined : list, this.now())
    return this.show(first)
  }

  clear(key: unknown): void {
    const entry = this.table.load(key)
    if (entry.value !== undefined) this.table.set(entry, undefined, this.now())
  }
}

const same = (value: unknown): unknown => value
