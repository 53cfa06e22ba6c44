import type { AnySerde, StoreSpec } from '../../../dsl/plan/index.ts'
import {
  type Armed,
  type CachePool,
  type Cells,
  cellValues,
  DueIndex,
  DueTable,
  duePaneValues,
  ExpiringTable,
  type Held,
  heldValues,
  JoinTable,
  type KeyCodec,
  KeyValueTable,
  type Lease,
  msgpackValues,
  PartTable,
  pastStore,
  type Sealer,
  septetValues,
  serdeKeys,
  serdeValues,
  SessionTable,
  statePrefix,
  type StoreSpace,
  SubscriptionTable,
  tickedValues,
  typedKeys,
  type ValueCodec,
  VersionedTable,
  versionedValues,
  WindowTable,
} from '../../../state/stores/index.ts'
import { isFast } from '../../../dsl/serdes/fast.ts'
import { DhaaraError } from '../../../errors/index.ts'
import type { BackendReader } from '../../../state/backend.ts'

interface StoresHost {
  readonly reader: BackendReader
  storeId(name: string): number
}

interface Lent {
  readonly by: TaskStores
  readonly names: ReadonlySet<string>
}

/** How a store's keys and values lie in bytes, before what its step makes of its values. */
export function storeCodecs(spec: StoreSpec | undefined, name: string): { keys: KeyCodec; values: ValueCodec } {
  return {
    keys: keysOf(spec?.key, name),
    values: valuesOf(spec, name),
  }
}

function valuesOf(spec: StoreSpec | undefined, name: string): ValueCodec {
  if (spec === undefined || spec.kind === 'list') return msgpackValues
  if (spec.value !== undefined) return serdeValues(spec.value, name)
  return spec.kind === 'keyValue' || spec.kind === 'versioned' ? septetValues : msgpackValues
}

/** Keys that steps have asked a store for, and how many of them had to be read from the database. */
export interface ReadCounts {
  readonly lookups: number
  readonly misses: number
}

export type Table = KeyValueTable | WindowTable | DueIndex | JoinTable | SubscriptionTable | PartTable

/** The stores of one task. Those of `stores.*` follow the user's key serde; those that the DSL makes, the typed codec. */
export class TaskStores {
  readonly tables = new Map<string, Table>()
  private readonly dues = new Map<string, DueTable<never>>()
  private readonly versions = new Map<string, VersionedTable>()
  private readonly specs: Map<string, StoreSpec>
  private readonly host: StoresHost
  private readonly partition: number
  /** The one that runs: tables are opened in any. */
  private epoch: number
  private readonly pool: CachePool

  /** Told of a store whose rows have a time to live, when it is opened. */
  onExpiring: (name: string, table: ExpiringTable) => void = () => {}
  private readonly strict: boolean
  private readonly lent: Lent | undefined

  /**
   * @param strict values are kept as they come back from their serde, which shows at once what that loses
   * @param lent stores that another task of the thread keeps
   */
  constructor(
    specs: readonly StoreSpec[],
    host: StoresHost,
    partition: number,
    epoch: number,
    pool: CachePool,
    strict = false,
    lent?: Lent,
  ) {
    this.strict = strict
    this.lent = lent
    this.specs = new Map(specs.map((spec) => [spec.name, spec]))
    this.host = host
    this.partition = partition
    this.epoch = epoch
    this.pool = pool
  }

  keyValue(name: string): KeyValueTable {
    if (this.lent?.names.has(name) === true) return this.lent.by.keyValue(name)
    const table =
      this.tables.get(name) ??
      this.roundTrip(
        name,
        this.open(name, (space) => this.rows(name, space)),
      )
    if (table instanceof KeyValueTable) return table
    throw new DhaaraError('DHAARA_INTERNAL', `store '${name}' is no key-value store`)
  }

  /** A store that no step has asked for by its spec. */
  imply(spec: StoreSpec): void {
    if (!this.specs.has(spec.name)) this.specs.set(spec.name, spec)
  }

  private rows(name: string, space: StoreSpace): KeyValueTable {
    const ttl = this.specs.get(name)?.ttl
    if (ttl === undefined) return new KeyValueTable(space, this.epoch)
    const { keys } = space
    const leases = this.open(`${name}.leases`, (own) => new KeyValueTable({ ...own, keys }, this.epoch))
    const ends = this.open(`${name}.leases.timers`, (own) => new DueIndex({ ...own, keys }, this.epoch))
    const span = Math.max(1, Math.ceil(ttl / 16))
    const table = new ExpiringTable(space, this.epoch, new DueTable<Lease>(leases, ends, span), ttl)
    this.onExpiring(name, table)
    return table
  }

  window(name: string): WindowTable {
    const table =
      this.tables.get(name) ??
      this.roundTrip(
        name,
        this.open(name, (space) => new WindowTable(space, this.epoch)),
      )
    if (table instanceof WindowTable) return table
    throw new DhaaraError('DHAARA_INTERNAL', `store '${name}' is no window store`)
  }

  /** Whose values are `Ticked`. */
  tickedWindow(name: string): WindowTable {
    const table = this.tables.get(name) ?? this.open(name, (space) => new WindowTable(space, this.epoch), tickedValues)
    if (table instanceof WindowTable) return table
    throw new DhaaraError('DHAARA_INTERNAL', `store '${name}' is no window store`)
  }

  /** Whose values are `DuePane`. */
  dueWindow(name: string): WindowTable {
    const table = this.tables.get(name) ?? this.open(name, (space) => new WindowTable(space, this.epoch), duePaneValues)
    if (table instanceof WindowTable) return table
    throw new DhaaraError('DHAARA_INTERNAL', `store '${name}' is no window store`)
  }

  /** @param span how far apart the stretches of its timer index lie, ms */
  session(name: string, span: number): SessionTable {
    return this.timed(name, SessionTable.values, (rows, timers) => new SessionTable(rows, timers, span))
  }

  /** Windows that depend on the records of their key. @param span likewise */
  cells(name: string, span: number): DueTable<Cells> {
    return this.timed(name, cellValues, (rows, timers) => new DueTable<Cells>(rows, timers, span))
  }

  /** Rows that are held back. @param span likewise */
  held(name: string, span: number): DueTable<Held> {
    return this.timed(name, heldValues, (rows, timers) => new DueTable<Held>(rows, timers, span))
  }

  /** Rows that time looks at. @param span likewise */
  due<R extends Armed>(name: string, span: number): DueTable<R> {
    return this.timed(
      name,
      (values) => values,
      (rows, timers) => new DueTable<R>(rows, timers, span),
    )
  }

  private timed<T extends DueTable<never>>(
    name: string,
    wrap: (values: ValueCodec) => ValueCodec,
    make: (rows: KeyValueTable, timers: DueIndex) => T,
  ): T {
    let table = this.dues.get(name) as T | undefined
    if (table === undefined) {
      const rows = this.open(name, (space) => new KeyValueTable(space, this.epoch), wrap)
      const timers = this.open(
        `${name}.timers`,
        (space) => new DueIndex({ ...space, keys: rows.space.keys }, this.epoch),
      )
      table = make(rows, timers)
      this.dues.set(name, table)
    }
    return table
  }

  /** Its present rows are the key-value store of that name. */
  versioned(name: string): VersionedTable {
    if (this.lent?.names.has(name) === true) return this.lent.by.versioned(name)
    let versioned = this.versions.get(name)
    if (versioned === undefined) {
      const latest = this.keyValue(name)
      const past = this.open(
        pastStore(name),
        (space) => new WindowTable({ ...space, keys: latest.space.keys }, this.epoch),
        () => versionedValues(latest.space.values),
      )
      versioned = new VersionedTable(latest, past, this.specs.get(name)?.history ?? 0)
      this.versions.set(name, versioned)
    }
    return versioned
  }

  /** A step's own key-value store, whose values have a serde. */
  inner(name: string, value?: AnySerde): KeyValueTable {
    return this.open(
      name,
      (space) => new KeyValueTable(space, this.epoch),
      (values) => (value === undefined ? values : serdeValues(value, name)),
    )
  }

  subscriptions(name: string): SubscriptionTable {
    return this.open(name, (space) => new SubscriptionTable(space, this.epoch))
  }

  /** One side of a stream-stream join. @param span how long a stretch of it is, ms */
  join(name: string, span: number, value: AnySerde | undefined): JoinTable {
    return this.open(
      name,
      (space) => new JoinTable(space, this.epoch, span),
      (values) => (value === undefined ? values : serdeValues(value, name)),
    )
  }

  /** State that lies in parts. */
  parts(name: string): PartTable {
    const table = this.tables.get(name) ?? this.open(name, (space) => new PartTable(space, this.epoch))
    if (table instanceof PartTable) return table
    throw new DhaaraError('DHAARA_INTERNAL', `store '${name}' is no store of parts`)
  }

  spec(name: string): StoreSpec | undefined {
    return this.specs.get(name)
  }

  /** Rows of the stores that know how many they have. */
  rowCounts(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const [name, table] of this.tables)
      if (table instanceof KeyValueTable && this.specs.has(name) && !Number.isNaN(table.rows)) counts[name] = table.rows
    return counts
  }

  /** How often rows of each store were asked for, and were not in memory. */
  readCounts(): Record<string, ReadCounts> {
    const counts: Record<string, ReadCounts> = {}
    for (const [name, table] of this.tables)
      if ((table instanceof KeyValueTable || table instanceof WindowTable) && this.specs.has(name))
        counts[name] = { lookups: table.lookups, misses: table.misses }
    return counts
  }

  /** As an earlier run has counted them. */
  goOnFrom(counts: Readonly<Record<string, number>>): void {
    for (const [name, table] of this.tables)
      if (table instanceof KeyValueTable && Number.isNaN(table.rows)) table.rows = counts[name] ?? Number.NaN
  }

  seal(sealer: Sealer): void {
    this.epoch++
    for (const table of this.tables.values()) table.seal(sealer)
  }

  written(epoch: number): void {
    for (const table of this.tables.values()) table.written(epoch)
  }

  /** Tells the pool what the stores hold. */
  measure(): void {
    this.lent?.by.measure()
    for (const table of this.tables.values()) table.measure()
  }

  /** Lets go what there is no room for, if it is written. */
  trim(): void {
    for (const table of this.tables.values()) table.trim()
  }

  private roundTrip<T extends KeyValueTable | WindowTable>(name: string, table: T): T {
    if (!this.strict || !this.specs.has(name)) return table
    const { values } = table.space
    const back = (value: unknown, ts: number) =>
      value === undefined ? undefined : values.decode(Buffer.from(values.encode(value, ts)))
    if (table instanceof KeyValueTable) {
      const set = table.set.bind(table)
      table.set = (entry, value, ts) => set(entry, back(value, ts), ts)
    } else {
      const set = table.set.bind(table)
      table.set = (bucket, entry, value, ts) => set(bucket, entry, back(value, ts), ts)
    }
    return table
  }

  /** A store of the user's that stays in memory, with what belongs to it (`orders.timers`). */
  private inMemory(name: string): boolean {
    for (const { name: own, backend } of this.specs.values())
      if (backend === 'memory' && (name === own || name.startsWith(`${own}.`))) return true
    return false
  }

  private open<T extends Table>(
    name: string,
    make: (space: StoreSpace) => T,
    wrap: (values: ValueCodec) => ValueCodec = (values) => values,
  ): T {
    const { keys, values } = storeCodecs(this.specs.get(name), name)
    const pinned = this.inMemory(name)
    const table = make({
      reader: this.host.reader,
      prefix: statePrefix(this.host.storeId(name), this.partition),
      keys,
      values: wrap(values),
      cache: pinned ? this.pool.pinned() : this.pool.share(),
      pinned,
    })
    this.tables.set(name, table)
    return table
  }
}

/** Keys of ordered types lie in the key codec, whose order is theirs: a serde's bytes may not be in order (doubles below zero). */
function keysOf(serde: AnySerde | undefined, store: string): KeyCodec {
  return serde === undefined || (isFast(serde) && serde.typedKey) ? typedKeys : serdeKeys(serde, store)
}
