import { createHash } from 'node:crypto'
import type { UserFn } from '../../dsl/plan/index.ts'
import type { BackendReader, StateBackend, WriteBatch } from '../../state/backend.ts'
import { keyPrefixRange } from '../../state/codec/index.ts'
import { after, concat, type Sealer, STATE_SPACE, statePrefix } from '../../state/stores/index.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { storedPartitions } from './committed.ts'
import { type StoreLayout, storeLayout } from './layout.ts'

/**
 * Secondary indexes of stores by key. An index is a store beside its store: a row for each row, under what it is indexed by and
 * the row's key, with the row's value, so that one scan of one snapshot answers.
 *
 *     store 'customers'        key c17                value {city: 'Pune', …}
 *     index 'customers.by.city'  key 'Pune' ‖ c17      value {city: 'Pune', …}
 *
 * It is written with whatever changes its store, by who sees the row that was there before: on the embedded log the thread that
 * owns the database, with each epoch; on a remote log whoever runs the task, and whoever copies a changelog. It has no
 * changelog itself.
 */
export const indexStore = (store: string, index: string): string => `${store}.by.${index}`

/** How the rows of an index lie. */
export const indexLayout = (layout: StoreLayout, index: string): StoreLayout => ({
  ...layout,
  name: indexStore(layout.name, index),
})

/** Names the functions that the indexes of an app were made with. */
const madeStore = '$indexes'
const rowsAtOnce = 5000

interface Index {
  readonly name: string
  readonly id: number
  readonly fn: UserFn
}

interface Indexed {
  readonly id: number
  readonly layout: StoreLayout
  readonly indexes: readonly Index[]
}

interface Ids {
  idOf(store: string): number
}

/** Takes rows of indexes. */
type Rows = Pick<Sealer, 'put' | 'delete'>

/** Stores that hold nothing but what others do: the indexes of an app. */
export function derivedStores(reader: BackendReader, idOf: (store: string) => number | undefined): Set<string> {
  const id = idOf(madeStore)
  if (id === undefined) return new Set()
  const made = statePrefix(id, 0)
  const names = Array.from(reader.range({ gte: made, lt: after(made) }), ([key]) =>
    Buffer.from(key.subarray(made.length)).toString(),
  )
  return new Set([madeStore, ...names])
}

/** The first bytes of all index rows of one value. */
export const indexPrefix = (value: unknown): Buffer => keyPrefixRange([value]).gte as Buffer

export class Indexes {
  private readonly backend: StateBackend
  private readonly ids: Ids
  /** By the number of the store. */
  private readonly stores = new Map<number, Indexed>()

  constructor(plan: PhysicalPlan, backend: StateBackend, ids: Ids) {
    this.backend = backend
    this.ids = ids
    for (const { name, indexes = {} } of plan.stores.values()) {
      if (Object.keys(indexes).length === 0) continue
      const layout = storeLayout(plan, name)
      if (layout.shape.kind !== 'keyValue') continue
      const made = Object.entries(indexes).map(([index, fn]) => ({
        name: indexStore(name, index),
        id: ids.idOf(indexStore(name, index)),
        fn,
      }))
      const id = ids.idOf(name)
      this.stores.set(id, { id, layout, indexes: made })
    }
  }

  /**
   * Makes indexes that are new, or whose function is another one than they were made with, or whose store has other partitions
   * now; drops those that the topology has no more. Before tasks run.
   *
   * @param partitions of each sub-topology; none: a row's partition never changes
   */
  build(partitions: readonly number[]): void {
    const made = statePrefix(this.ids.idOf(madeStore), 0)
    this.dropGone(made)
    for (const store of this.stores.values()) {
      for (const index of store.indexes) {
        const key = concat(made, Buffer.from(index.name))
        const hash = createHash('sha256')
          .update(`${partitions[store.layout.sub] ?? ''} ${index.fn.toString()}`)
          .digest()
        const known = this.backend.get(key)
        if (known !== undefined && hash.equals(known)) continue
        this.clear(index.id)
        this.fill(store, index)
        const batch = this.backend.batch()
        batch.put(key, hash)
        batch.commit()
      }
    }
  }

  /** The sealing of an epoch, with the changes of indexes behind those of their stores. */
  indexed(seal: (sealer: Sealer) => void): (sealer: Sealer) => void {
    if (this.none) return seal
    return (sealer) =>
      seal({
        put: (key, value) => {
          this.change(sealer, key, value)
          sealer.put(key, value)
        },
        delete: (key) => {
          this.change(sealer, key, undefined)
          sealer.delete(key)
        },
        clearLater: (gte, lt) => sealer.clearLater(gte, lt),
      })
  }

  /** Of no store. */
  get none(): boolean {
    return this.stores.size === 0
  }

  /** Of a store of this number. */
  has(id: number): boolean {
    return this.stores.has(id)
  }

  /** The first bytes of all rows of a partition of a store's indexes. */
  prefixes(id: number, partition: number): Buffer[] {
    return (this.stores.get(id)?.indexes ?? []).map((index) => statePrefix(index.id, partition))
  }

  /** What becomes of indexes with a change of a row of any store, which the database does not have yet. */
  change(rows: Rows, key: Uint8Array, value: Uint8Array | undefined): void {
    if (key[0] !== STATE_SPACE) return
    const store = this.stores.get(((key[1] as number) << 8) | (key[2] as number))
    if (store === undefined) return
    // buffers are used again behind the call
    const row = Buffer.from(key.subarray(5))
    const partition = ((key[3] as number) << 8) | (key[4] as number)
    const before = this.backend.get(key)
    const was = before === undefined ? undefined : store.layout.values.decode(before)
    const is = value === undefined ? undefined : store.layout.values.decode(value)
    const decoded = store.layout.keys.decode(row)
    for (const index of store.indexes) {
      const old = was === undefined ? undefined : rowKey(store, index, partition, decoded, row, was)
      const now = is === undefined ? undefined : rowKey(store, index, partition, decoded, row, is)
      if (old !== undefined && (now === undefined || !old.equals(now))) rows.delete(old)
      if (now !== undefined) rows.put(now, value as Uint8Array)
    }
  }

  /** Nobody has kept them since. */
  private dropGone(made: Buffer): void {
    const names = new Set([...this.stores.values()].flatMap(({ indexes }) => indexes.map(({ name }) => name)))
    for (const [key] of this.backend.range({ gte: made, lt: after(made) })) {
      const name = Buffer.from(key.subarray(made.length)).toString()
      if (names.has(name)) continue
      this.clear(this.ids.idOf(name))
      const batch = this.backend.batch()
      batch.delete(key)
      batch.commit()
    }
  }

  private clear(id: number): void {
    this.backend.clearRange(statePrefix(id, 0), statePrefix(id + 1, 0))
  }

  private fill(store: Indexed, index: Index): void {
    let batch: WriteBatch = this.backend.batch()
    for (const partition of storedPartitions(this.backend, store.id)) {
      const prefix = statePrefix(store.id, partition)
      for (const [key, value] of this.backend.range({ gte: prefix, lt: after(prefix) })) {
        const row = Buffer.from(key.subarray(prefix.length))
        const held = store.layout.values.decode(value)
        const at = rowKey(store, index, partition, store.layout.keys.decode(row), row, held)
        if (at !== undefined) batch.put(at, value)
        if (batch.count < rowsAtOnce) continue
        batch.commit()
        batch = this.backend.batch()
      }
    }
    if (batch.count > 0) batch.commit()
  }
}

/** undefined: the row is not in the index, since its function gives nothing for it, or throws. */
function rowKey(
  { layout }: Indexed,
  { id, fn }: Index,
  partition: number,
  key: unknown,
  row: Uint8Array,
  held: unknown,
): Buffer | undefined {
  const { shape } = layout
  if (shape.kind !== 'keyValue') return undefined
  try {
    const by: unknown = fn(shape.show(held), key)
    if (by === undefined || by === null) return undefined
    return Buffer.concat([statePrefix(id, partition), indexPrefix(by), row])
  } catch {
    return undefined
  }
}
