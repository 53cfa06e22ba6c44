import { FrameBuilder } from '../../connectors/broker/frame-builder.ts'
import { asBuffer } from '../../state/codec/index.ts'
import { statePrefix } from '../../state/stores/index.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { changelogTopic, tasksTopic } from './names.ts'

/** The number of bytes before a row's own key: space, store, partition. */
export const prefixBytes = 5

/** Which topic keeps a store's rows, and whether they share it with other stores. */
export interface Changelog {
  readonly topic: string
  readonly partitions: number
  readonly sub: number
  /** Absent: rows of all stores of the sub-topology that have no topic of their own; a key begins with the store's name. */
  readonly store?: string
  /** How long a deletion stays in the topic, ms. */
  readonly tombstonesFor?: number
}

/** The changelog topics of a plan: one for each store, and one for what a sub-topology's tasks keep besides. */
export function changelogsOf(app: string, plan: PhysicalPlan, partitions: readonly number[]): Changelog[] {
  return plan.subs.flatMap((sub) => {
    const count = partitions[sub.id] as number
    const own = sub.stores.map(({ name }) => ({
      topic: changelogTopic(app, name),
      partitions: count,
      sub: sub.id,
      store: name,
    }))
    return [...own, { topic: tasksTopic(app, sub), partitions: count, sub: sub.id }]
  })
}

/** Numbers of stores in this directory. */
export interface StoreNumbers {
  /** Gives it one, if it has none. */
  idOf(store: string): number
}

/** Turns rows of the state into records of changelog topics, and back. Knows the stores that were asked for by name. */
export class ChangelogRows {
  private readonly ids: StoreNumbers
  private readonly stores = new Map<number, { readonly log: Changelog; readonly name: Buffer }>()
  private readonly byStore: ReadonlyMap<string, Changelog>
  private readonly shared: ReadonlyMap<number, Changelog>

  constructor(logs: readonly Changelog[], ids: StoreNumbers) {
    this.ids = ids
    this.byStore = new Map(logs.flatMap((log) => (log.store === undefined ? [] : [[log.store, log] as const])))
    this.shared = new Map(logs.flatMap((log) => (log.store === undefined ? [[log.sub, log] as const] : [])))
  }

  /** The number of a store that a task of this sub-topology opens. */
  idOf(store: string, sub: number): number {
    const own = this.byStore.get(store)
    // Stores of tasks have one name in all sub-topologies, and a number in each.
    const id = this.ids.idOf(own === undefined ? `${store}@${this.shared.get(sub)?.topic ?? sub}` : store)
    if (!this.stores.has(id)) {
      const name = Buffer.from(store)
      const log = own ?? (this.shared.get(sub) as Changelog)
      this.stores.set(id, { log, name })
    }
    return id
  }

  /** Of these names of stores, those that share a sub-topology's topic. */
  sharedStores(sub: number, known: Iterable<string>): string[] {
    const suffix = `@${this.shared.get(sub)?.topic ?? sub}`
    return [...known].filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length))
  }

  /** Where a row goes. */
  logOf(key: Uint8Array): Changelog {
    return (this.stores.get(storeOf(key)) as { log: Changelog }).log
  }

  /** The key of a row in its topic. */
  keyOf(key: Uint8Array): Uint8Array {
    const { log, name } = this.stores.get(storeOf(key)) as { log: Changelog; name: Buffer }
    const own = key.subarray(prefixBytes)
    if (log.store !== undefined) return own
    return Buffer.concat([Buffer.of(name.length), name, own])
  }

  /**
   * What gives the row that a record of a partition stands for. The row's memory may be used again for the next one: both
   * batches and checksums take what it holds.
   */
  reader({ store, sub }: Changelog, partition: number): (key: Buffer) => Buffer {
    if (store !== undefined) return behind(statePrefix(this.idOf(store, sub), partition))
    return (key) => {
      const length = key[0] as number
      const name = key.toString('utf8', 1, 1 + length)
      return Buffer.concat([statePrefix(this.idOf(name, sub), partition), key.subarray(1 + length)])
    }
  }
}

function behind(prefix: Buffer): (key: Buffer) => Buffer {
  let room = Buffer.concat([prefix], 256)
  return (key) => {
    const length = prefix.length + key.length
    if (length > room.length) room = Buffer.concat([prefix], 2 * length)
    key.copy(room, prefix.length)
    return room.subarray(0, length)
  }
}

const storeOf = (key: Uint8Array): number => ((key[1] as number) << 8) | (key[2] as number)
export const partitionOfRow = (key: Uint8Array): number => ((key[3] as number) << 8) | (key[4] as number)

/** Collects an epoch's rows for their topics. */
export class ChangelogFrames {
  private readonly rows: ChangelogRows
  private readonly builders = new Map<string, { topic: string; partition: number; builder: FrameBuilder }>()
  private readonly now: number

  constructor(rows: ChangelogRows, now: number) {
    this.rows = rows
    this.now = now
  }

  put(key: Uint8Array, value: Uint8Array | null): void {
    const { topic } = this.rows.logOf(key)
    const partition = partitionOfRow(key)
    const id = `${partition}/${topic}`
    let found = this.builders.get(id)
    if (found === undefined) {
      found = { topic, partition, builder: new FrameBuilder({ maxRecordBytes: 2 ** 29 }) }
      this.builders.set(id, found)
    }
    found.builder.add(this.rows.keyOf(key), value, this.now)
  }

  take(): { topic: string; partition: number; frame: Buffer }[] {
    return Array.from(this.builders.values(), ({ topic, partition, builder }) => ({
      topic,
      partition,
      frame: asBuffer(builder.finish()),
    }))
  }
}
