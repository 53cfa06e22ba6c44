import { after, concat, type Sealer, type StoreSpace } from './space.ts'
import { sweep } from './sweep.ts'

/** What a member takes in the cache, roughly. */
const heapBytesOfMember = 512

/** A row of the left table that follows a row of the right one. */
export class Subscription {
  readonly group: SubscriptionGroup
  readonly key: unknown
  /** Number of the subscription; 0: it has ended. */
  number: number
  /** Partition of the left table's task that gave the number. */
  from: number
  /** Last epoch that changed it; 0: none since it was read. */
  dirty = 0
  /** A row of it may lie in the database. */
  stored = false

  constructor(group: SubscriptionGroup, key: unknown, number: number, from: number) {
    this.group = group
    this.key = key
    this.number = number
    this.from = from
  }
}

/** All that follow one row. */
class SubscriptionGroup {
  readonly key: unknown
  readonly members = new Map<string | number, Subscription>()
  /** Members in the order of their keys, until one comes or goes. */
  ordered: Subscription[] | undefined
  /** Every member is in `members`. */
  complete: boolean
  /** Last epoch that changed any of them. */
  dirty = 0
  used = true

  constructor(key: unknown, complete: boolean) {
    this.key = key
    this.complete = complete
  }
}

/**
 * Who follows which row of a foreign-key join's right table: by foreign key, then by the left table's key. A subscription is
 * taken down without looking at the others of its row; a change of the row reads them all.
 *
 *     prefix | foreign key | left key  ->  number f64 | from u32
 */
export class SubscriptionTable {
  readonly space: StoreSpace
  private readonly groups = new Map<string | number, SubscriptionGroup>()
  private dirty: Subscription[] = []
  private epoch: number
  private readonly sealed: { epoch: number; subscriptions: Subscription[] }[] = []
  /** Groups that are not in memory are empty. */
  private whole: boolean
  private held = 0

  /** @param space its keys must be of the typed codec, whose keys end by themselves */
  constructor(space: StoreSpace, epoch: number) {
    this.space = space
    this.epoch = epoch
    const { reader, prefix } = space
    this.whole = reader.collect({ gte: prefix, lt: after(prefix), limit: 1 }).length === 0
  }

  add(foreign: unknown, key: unknown, number: number, from: number): void {
    const group = this.group(foreign)
    const id = this.space.keys.id(key)
    const known = group.members.get(id)
    if (known === undefined) {
      const made = new Subscription(group, key, number, from)
      // what was evicted may have a row of it
      made.stored = !group.complete
      group.members.set(id, made)
      this.held++
      group.ordered = undefined
      this.touch(made)
      return
    }
    if (known.number === 0) group.ordered = undefined
    known.number = number
    known.from = from
    this.touch(known)
  }

  remove(foreign: unknown, key: unknown): void {
    this.add(foreign, key, 0, 0)
  }

  /** Who follows a row, in the order of their keys. */
  of(foreign: unknown): readonly Subscription[] {
    const group = this.group(foreign)
    if (!group.complete) this.readAll(group)
    if (group.ordered === undefined) {
      const { compare } = this.space.keys
      group.ordered = [...group.members.values()].filter(({ number }) => number !== 0)
      group.ordered.sort((a, b) => compare(a.key, b.key))
    }
    return group.ordered
  }

  seal(sealer: Sealer): void {
    const { dirty, epoch, space } = this
    this.epoch = epoch + 1
    if (dirty.length === 0) return
    const { compare } = space.keys
    dirty.sort((a, b) => compare(a.group.key, b.group.key) || compare(a.key, b.key))
    for (const one of dirty) {
      const key = concat(this.groupKey(one.group.key), space.keys.encode(one.key))
      if (one.number === 0) {
        if (one.stored) sealer.delete(key)
        one.stored = false
        continue
      }
      const row = Buffer.allocUnsafe(12)
      row.writeDoubleBE(one.number, 0)
      row.writeUInt32BE(one.from, 8)
      sealer.put(key, row)
      one.stored = true
    }
    this.sealed.push({ epoch, subscriptions: dirty })
    this.dirty = []
  }

  written(epoch: number): void {
    while (this.sealed.length > 0 && (this.sealed[0] as { epoch: number }).epoch <= epoch) {
      const { epoch: at, subscriptions } = this.sealed.shift() as { epoch: number; subscriptions: Subscription[] }
      for (const one of subscriptions) {
        if (one.dirty === at) one.dirty = 0
        if (one.group.dirty === at) one.group.dirty = 0
        if (one.number === 0 && one.dirty === 0) this.forget(one)
      }
    }
    this.measure()
    this.evict()
  }

  /** Says what is held, and what of it waits to be written. */
  measure(): void {
    const waiting = this.sealed.reduce((sum, { subscriptions }) => sum + subscriptions.length, this.dirty.length)
    this.space.cache.tell(this.held * heapBytesOfMember, waiting * heapBytesOfMember)
  }

  /** Lets go what there is no room for, if it is written. */
  trim(): void {
    this.evict()
  }

  private group(foreign: unknown): SubscriptionGroup {
    const id = this.space.keys.id(foreign)
    let group = this.groups.get(id)
    if (group === undefined) {
      group = new SubscriptionGroup(foreign, this.whole)
      this.groups.set(id, group)
      this.held++
    }
    group.used = true
    return group
  }

  private touch(one: Subscription): void {
    one.group.dirty = this.epoch
    if (one.dirty === this.epoch) return
    one.dirty = this.epoch
    this.dirty.push(one)
  }

  /** What has ended, and is written. */
  private forget(one: Subscription): void {
    const id = this.space.keys.id(one.key)
    if (one.group.members.get(id) !== one) return
    one.group.members.delete(id)
    this.held--
  }

  private readAll(group: SubscriptionGroup): void {
    const { reader, keys } = this.space
    const gte = this.groupKey(group.key)
    for (const [bytes, row] of reader.range({ gte, lt: after(gte) })) {
      const key = keys.decode(Buffer.from(bytes.subarray(gte.length)))
      const id = keys.id(key)
      if (group.members.has(id)) continue
      const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
      const made = new Subscription(group, key, view.getFloat64(0), view.getUint32(8))
      made.stored = true
      group.members.set(id, made)
      this.held++
    }
    group.complete = true
    group.ordered = undefined
  }

  /** Second chance, a group at a time. Unwritten changes stay. */
  private evict(): void {
    const { cache } = this.space
    const limit = Math.max(64, cache.allowed(this.held * heapBytesOfMember) / heapBytesOfMember)
    const tooMuch = (): boolean => this.held > limit
    const evicted = (group: SubscriptionGroup): void => {
      this.held -= group.members.size + 1
      if (group.members.size > 0 || !group.complete) this.whole = false
    }
    for (let round = 0; round < 2 && tooMuch(); round++) sweep(this.groups, this.groups, tooMuch, evicted)
    cache.allowed(this.held * heapBytesOfMember)
  }

  private groupKey(foreign: unknown): Buffer {
    return concat(this.space.prefix, this.space.keys.encode(foreign))
  }
}
