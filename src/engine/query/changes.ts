import type { BackendReader } from '../../state/backend.ts'
import { STATE_SPACE, type Sealer, statePrefix } from '../../state/stores/index.ts'

/** What a checkpoint has made of a row. */
export interface RawChange {
  /** Without the store's prefix. */
  readonly key: Buffer
  /** undefined: there was none, or nobody asked for it. */
  readonly before: Uint8Array | undefined
  /** undefined: it is gone. */
  readonly after: Uint8Array | undefined
}

/** Somebody who wants to know of the changes of a store. */
export interface Watch {
  readonly store: number
  readonly partitions: readonly number[]
  /** The one key that is watched, in bytes; else all that `matches`. */
  readonly key?: Uint8Array
  readonly matches: (key: Uint8Array) => boolean
  /** Wants rows as they were, too. */
  readonly needsBefore: boolean
  take(changes: readonly RawChange[]): void
  /** No more will come; `error`: the app has failed. */
  end(error?: unknown): void
}

/** Watches of one partition of a store. */
interface Group {
  readonly keys: Map<string, Set<Watch>>
  readonly ranges: Set<Watch>
}

/**
 * Who watches which rows: looks at what is written with each checkpoint, as it is written, and tells it when it is written.
 * Costs nothing while nobody watches.
 */
export class Changes {
  private readonly reader: BackendReader
  private readonly watches = new Set<Watch>()
  private readonly groups = new Map<number, Group>()
  private found = new Map<Watch, RawChange[]>()
  private ended = false

  constructor(reader: BackendReader) {
    this.reader = reader
  }

  get size(): number {
    return this.watches.size
  }

  add(watch: Watch): Disposable {
    if (this.ended) watch.end()
    else {
      this.watches.add(watch)
      for (const partition of watch.partitions) addTo(this.group(watch.store, partition), watch)
    }
    return { [Symbol.dispose]: () => this.remove(watch) }
  }

  /** An epoch is going to be written: what it changes is looked at, where somebody watches. */
  begin(): void {
    this.found = new Map()
  }

  /** The sealing of an epoch, looked at where somebody watches. */
  watched(seal: (sealer: Sealer) => void): (sealer: Sealer) => void {
    this.begin()
    if (this.watches.size === 0) return seal
    return (sealer) =>
      seal({
        put: (key, value) => {
          this.look(key, value)
          sealer.put(key, value)
        },
        delete: (key) => {
          this.look(key, undefined)
          sealer.delete(key)
        },
        clearLater: (gte, lt) => sealer.clearLater(gte, lt),
      })
  }

  /** The epoch is written. */
  committed(): void {
    const { found } = this
    this.found = new Map()
    for (const [watch, changes] of found) if (this.watches.has(watch)) watch.take(changes)
  }

  end(error?: unknown): void {
    this.ended = true
    for (const watch of this.watches) watch.end(error)
    this.watches.clear()
    this.groups.clear()
  }

  /** A change of a row, which the database does not have yet. @param after undefined: it goes */
  look(key: Uint8Array, after: Uint8Array | undefined): void {
    if (key.length < 5 || key[0] !== STATE_SPACE) return
    const group = this.groups.get(numberOf(key))
    if (group === undefined) return
    // copied: buffers are used again
    const own = Buffer.from(key.subarray(5))
    const value = after === undefined ? undefined : Buffer.from(after)
    let before: Uint8Array | undefined
    let read = false
    const tell = (watch: Watch): void => {
      if (watch.needsBefore && !read) {
        before = this.reader.get(key)
        read = true
      }
      const changes = this.found.get(watch)
      const change = { key: own, before: watch.needsBefore ? before : undefined, after: value }
      if (changes === undefined) this.found.set(watch, [change])
      else changes.push(change)
    }
    for (const watch of group.keys.get(own.latin1Slice()) ?? []) tell(watch)
    for (const watch of group.ranges) if (watch.matches(own)) tell(watch)
  }

  private remove(watch: Watch): void {
    if (!this.watches.delete(watch)) return
    for (const partition of watch.partitions) {
      const id = numberOf(statePrefix(watch.store, partition))
      const group = this.groups.get(id)
      if (group === undefined) continue
      group.ranges.delete(watch)
      const name = nameOf(watch)
      const same = name === undefined ? undefined : group.keys.get(name)
      same?.delete(watch)
      if (name !== undefined && same?.size === 0) group.keys.delete(name)
      if (group.keys.size === 0 && group.ranges.size === 0) this.groups.delete(id)
    }
  }

  private group(store: number, partition: number): Group {
    const id = numberOf(statePrefix(store, partition))
    let group = this.groups.get(id)
    if (group === undefined) this.groups.set(id, (group = { keys: new Map(), ranges: new Set() }))
    return group
  }
}

function addTo({ keys, ranges }: Group, watch: Watch): void {
  const name = nameOf(watch)
  if (name === undefined) ranges.add(watch)
  else keys.set(name, (keys.get(name) ?? new Set<Watch>()).add(watch))
}

const nameOf = ({ key }: Watch): string | undefined => (key === undefined ? undefined : Buffer.from(key).latin1Slice())

/** Store and partition, of a row's key. */
const numberOf = (key: Uint8Array): number =>
  (key[1] as number) * 16777216 + ((key[2] as number) << 16) + ((key[3] as number) << 8) + (key[4] as number)
