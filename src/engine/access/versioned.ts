import type { VersionedTable } from '../../state/stores/index.ts'
import { KeyValueAccess, ReadOnlyKeyValue } from './key-value.ts'

interface AsOf {
  readonly asOf?: number
}
type Handed = (value: unknown) => unknown

const asItIs: Handed = (value) => value

function look(table: VersionedTable, key: unknown, { asOf }: AsOf, show: Handed): unknown {
  const value = asOf === undefined ? table.latest.get(key) : table.asOf(key, asOf)
  return value === undefined ? undefined : show(value)
}

/** A versioned store as user code sees it. */
export class VersionedAccess {
  private readonly table: VersionedTable
  private readonly show: Handed
  private readonly keep: Handed

  /**
   * @param show what user code is handed of what is kept
   * @param keep what is kept of what user code hands over
   */
  constructor(table: VersionedTable, show: Handed, keep: Handed = asItIs) {
    this.table = table
    this.show = show
    this.keep = keep
  }

  /** The present row, or the one that held at `asOf`. */
  get(key: unknown, opts: AsOf = {}): unknown {
    return look(this.table, key, opts, this.show)
  }

  /** A row from `at` on; what is older than the store's history is not kept. */
  put(key: unknown, value: unknown, at: number): void {
    this.table.put(key, value === null || value === undefined ? undefined : this.keep(value), at)
  }

  delete(key: unknown, at: number): void {
    this.table.put(key, undefined, at)
  }
}

/** Of a table, whose present rows are read like those of any other. */
export class VersionedTableAccess extends ReadOnlyKeyValue {
  private readonly table: VersionedTable
  private readonly show: Handed

  constructor(table: VersionedTable, show: Handed) {
    super(new KeyValueAccess(table.latest, () => 0, show))
    this.table = table
    this.show = show
  }

  override get(key: unknown, opts: AsOf = {}): unknown {
    return look(this.table, key, opts, this.show)
  }
}
