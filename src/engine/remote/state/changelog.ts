import { FrameBuilder } from '../../../connectors/broker/frame-builder.ts'
import type { SpareMemory } from '../../../connectors/broker/spare-memory.ts'
import { RowWriter, statePrefix } from '../../../state/stores/index.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { changelogTopic, tasksTopic } from '../topics/names.ts'

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
  private readonly stores = new Map<number, { readonly log: Changelog; readonly head: Buffer }>()
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
      const log = own ?? (this.shared.get(sub) as Changelog)
      const name = Buffer.from(store)
      const head = log.store === undefined ? Buffer.concat([Buffer.of(name.length), name]) : Buffer.alloc(0)
      this.stores.set(id, { log, head })
    }
    return id
  }

  /** Of these names of stores, those that share a sub-topology's topic. */
  sharedStores(sub: number, known: Iterable<string>): string[] {
    const suffix = `@${this.shared.get(sub)?.topic ?? sub}`
    return [...known].filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length))
  }

  /** The topic of a store that has a number, and what keys of its rows begin with there. */
  of(store: number): { readonly log: Changelog; readonly head: Buffer } {
    return this.stores.get(store) as { log: Changelog; head: Buffer }
  }

  /**
   * What gives the row that a record of a partition stands for, by its key's place in the data. The row's memory is used again
   * for the next one: both batches and checksums take what it holds.
   */
  reader({ store, sub }: Changelog, partition: number): RowKeyReader {
    if (store !== undefined) return behind(statePrefix(this.idOf(store, sub), partition))
    const byName = new Map<string, RowKeyReader>()
    return (data, start, end) => {
      const nameEnd = start + 1 + (data[start] as number)
      const name = data.latin1Slice(start + 1, nameEnd)
      let own = byName.get(name)
      if (own === undefined) {
        own = behind(statePrefix(this.idOf(data.utf8Slice(start + 1, nameEnd), sub), partition))
        byName.set(name, own)
      }
      return own(data, nameEnd, end)
    }
  }
}

export type RowKeyReader = (data: Buffer, start: number, end: number) => Buffer

function behind(prefix: Buffer): RowKeyReader {
  const row = new RowWriter()
  return (data, start, end) => row.reset().raw(prefix).slice(data, start, end).view()
}

const storeOf = (key: Uint8Array): number => ((key[1] as number) << 8) | (key[2] as number)
const partitionOfRow = (key: Uint8Array): number => ((key[3] as number) << 8) | (key[4] as number)

interface LogFrames {
  readonly topic: string
  readonly partition: number
  readonly store: number
  /** What keys begin with. */
  readonly head: Buffer
  readonly builder: FrameBuilder
}

/** Collects an epoch's rows for their topics. */
export class ChangelogFrames {
  private readonly rows: ChangelogRows
  /** By topic and partition. */
  private readonly builders = new Map<string, FrameBuilder>()
  /** By store and partition. */
  private readonly logs = new Map<number, LogFrames>()
  private last: LogFrames | undefined
  private now = 0

  constructor(rows: ChangelogRows) {
    this.rows = rows
  }

  /** What was collected and not taken is dropped. */
  begin(now: number): void {
    this.now = now
    for (const builder of this.builders.values()) builder.clear()
  }

  put(key: Uint8Array, value: Uint8Array | null): void {
    const { builder, head } = this.logOf(key)
    builder.addBehind(head, key, prefixBytes, value, this.now)
  }

  /** @param spare where the frames' memory comes from */
  take(spare: SpareMemory): { topic: string; partition: number; frame: Buffer<ArrayBuffer> }[] {
    const frames = []
    for (const { topic, partition, builder } of this.logs.values())
      if (builder.count > 0) frames.push({ topic, partition, frame: builder.finish(undefined, spare) })
    return frames
  }

  private logOf(key: Uint8Array): LogFrames {
    const store = storeOf(key)
    const partition = partitionOfRow(key)
    const { last } = this
    // rows come store by store
    if (last !== undefined && last.store === store && last.partition === partition) return last
    const id = (store << 16) | partition
    let found = this.logs.get(id)
    if (found === undefined) {
      const { log, head } = this.rows.of(store)
      const at = `${partition}/${log.topic}`
      let builder = this.builders.get(at)
      if (builder === undefined) {
        builder = new FrameBuilder({ maxRecordBytes: 2 ** 29, checksum: false })
        this.builders.set(at, builder)
      }
      found = { topic: log.topic, partition, store, head, builder }
      this.logs.set(id, found)
    }
    this.last = found
    return found
  }
}
