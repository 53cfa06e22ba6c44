import type { Windowed } from '../../dsl/windows/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { decodeKey } from '../../state/codec/index.ts'
import {
  DueIndex,
  JoinTable,
  type KeyValueTable,
  PartTable,
  SubscriptionTable,
  WindowTable,
} from '../../state/stores/index.ts'
import { RowReader } from '../cep/row.ts'
import type { StoredRequest } from '../operators/async/request.ts'
import type { StoreOfTask } from './layouts.ts'
import type { Placement } from './placement.ts'

/** A row of a store, without the store's number and partition. */
export interface Moved {
  readonly to: number
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Moves the rows of one store from so many tasks to others, in the order of their old partitions. */
export class RowMover {
  private readonly name: string
  private readonly store: StoreOfTask
  private readonly place: Placement
  private readonly from: number
  private readonly to: number
  private numbered = 0
  private readonly extremes = new Map<string, { key: Uint8Array; value: Uint8Array; number: number; tasks: number }>()

  constructor(name: string, store: StoreOfTask, place: Placement, from: number, to: number) {
    this.name = name
    this.store = store
    this.place = place
    this.from = from
    this.to = to
  }

  /** @throws DhaaraError DHAARA_SAVEPOINT: it lies where its key does not belong, so nobody can tell where it goes */
  *move(partition: number, key: Uint8Array, value: Uint8Array): Generator<Moved> {
    const { role, table } = this.store
    if (role === 'copied') {
      // all tasks had them; those of the first are as far as its positions
      if (partition === 0) for (let to = 0; to < this.to; to++) yield { to, key, value }
    } else if (role === 'first') {
      if (partition === 0) yield { to: 0, key, value }
    } else if (role === 'highest' || role === 'lowest') this.compare(key, value)
    else if (role === 'requests') yield this.request(partition, value)
    else if (table instanceof DueIndex) yield* this.dues(partition, key, value)
    else if (table instanceof PartTable) yield* this.parts(partition, key, value)
    else yield { to: this.target(this.keyOf(key), partition), key, value }
  }

  /** What only all rows together tell. */
  *rest(): Generator<Moved> {
    for (const { key, value, tasks } of this.extremes.values()) {
      // what some task has never had is lowest there
      if (this.store.role === 'lowest' && tasks < this.from) continue
      for (let to = 0; to < this.to; to++) yield { to, key, value }
    }
  }

  private target(key: unknown, partition: number): number {
    let inner = this.store.role === 'pairs' ? (key as readonly unknown[])[0] : key
    for (let i = 0; i < this.store.windowed; i++) inner = (inner as Windowed<unknown>).key
    let was: unknown
    let to: unknown
    try {
      was = this.place(inner, this.from)
      to = this.place(inner, this.to)
    } catch (error) {
      throw immovable(this.name, `no partition is known for the key ${show(inner)}: ${String(error)}`)
    }
    if (was !== partition)
      throw immovable(
        this.name,
        `the row of ${show(inner)} lies in partition ${partition}, where records of that key do not go (but to ${String(was)})`,
      )
    if (!Number.isInteger(to) || (to as number) < 0 || (to as number) >= this.to)
      throw immovable(this.name, `the key ${show(inner)} goes to partition ${String(to)} of ${this.to}`)
    return to as number
  }

  private keyOf(row: Uint8Array): unknown {
    const { table } = this.store
    const { keys } = table.space
    if (table instanceof WindowTable) return keys.decode(row.subarray(8))
    if (table instanceof JoinTable) return keys.decode(row.subarray(8, row.length - 4))
    if (table instanceof SubscriptionTable) return decodeKey(row)
    return keys.decode(row)
  }

  private *dues(partition: number, row: Uint8Array, value: Uint8Array): Generator<Moved> {
    const { keys } = this.store.table.space
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
    const parts = new Map<number, Uint8Array[]>()
    for (let at = 0; at < value.length; ) {
      const begin = at + 4
      const next = begin + view.getUint32(at) + 8
      const to = this.target(keys.decode(Buffer.from(value.subarray(begin, next - 8))), partition)
      const part = parts.get(to)
      if (part === undefined) parts.set(to, [value.subarray(at, next)])
      else part.push(value.subarray(at, next))
      at = next
    }
    for (const [to, part] of parts) {
      const key = Buffer.from(row)
      key.writeUInt32BE(0, 8)
      key.writeUInt32BE(this.numbered++, 12)
      yield { to, key, value: Buffer.concat(part) }
    }
  }

  private *parts(partition: number, key: Uint8Array, value: Uint8Array): Generator<Moved> {
    const { keys } = this.store.table.space
    const [kind] = key
    if (kind === SHAPE) {
      if (partition === 0) for (let to = 0; to < this.to; to++) yield { to, key, value }
      return
    }
    if (kind === TIMED) {
      const row = Buffer.from(key)
      row.writeUIntBE(this.numbered++, 9, 6)
      yield { to: this.target(keys.decode(new RowReader(value).bytes()), partition), key: row, value }
      return
    }
    const own = keys.decode(Buffer.from(key.subarray(1, kind === HEAD ? undefined : key.length - 4)))
    yield { to: this.target(own, partition), key, value }
  }

  /** Requests may go anywhere, but those of a key together. */
  private request(partition: number, value: Uint8Array): Moved {
    const { table } = this.store
    const [key] = table.space.values.decode(Buffer.from(value)) as StoredRequest
    let to = partition % this.to
    if (key !== null && key !== undefined) {
      const placed = this.place(key, this.to)
      if (Number.isInteger(placed) && placed >= 0 && placed < this.to) to = placed
    }
    return { to, key: Buffer.from(table.space.keys.encode(this.numbered++)), value }
  }

  private compare(key: Uint8Array, value: Uint8Array): void {
    const number = (this.store.table as KeyValueTable).space.values.decode(Buffer.from(value)) as number
    const id = Buffer.from(key).toString('latin1')
    const known = this.extremes.get(id)
    const tasks = (known?.tasks ?? 0) + 1
    const wins = known === undefined || (this.store.role === 'highest' ? number > known.number : number < known.number)
    if (wins) this.extremes.set(id, { key: Buffer.from(key), value: Buffer.from(value), number, tasks })
    else known.tasks = tasks
  }
}

/** Kinds of rows of a part table. */
const HEAD = 0
const TIMED = 2
const SHAPE = 3

const show = (key: unknown): string => {
  try {
    return JSON.stringify(key) ?? String(key)
  } catch {
    return String(key)
  }
}

export const immovable = (store: string, why: string): DhaaraError =>
  new DhaaraError(
    'DHAARA_SAVEPOINT',
    `the rows of '${store}' cannot be spread over another number of partitions: ${why}. Start with as many partitions as the savepoint has, or drop the store with {allowNonRestoredState: true} under another name`,
  )

export const foreignTopic = (topic: string, partition: number, offset: number, end: number): DhaaraError =>
  new DhaaraError(
    'DHAARA_SAVEPOINT',
    `the savepoint has read partition ${partition} of '${topic}' up to ${offset}, and it ends at ${end} here: it is another topic. Say where to begin: dhaara savepoint restore --positions start (or end)`,
  )
