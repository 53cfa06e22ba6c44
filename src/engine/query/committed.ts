import { setImmediate } from 'node:timers/promises'
import type { BackendReader, Row, TextBlock } from '../../state/backend.ts'
import { after, concat, statePrefix } from '../../state/stores/index.ts'
import { elsewhere, first, type Look, lookFor } from './key-places.ts'
import type { StoreLayout } from './layout.ts'
import { mergePages, pagesOrElse, type PartPages } from './merge.ts'
import { partsByKey, partsOfKey } from './part-rows.ts'
import { PointReads } from './point-reads.ts'
import {
  bytesIn,
  checkBytes,
  pageRows,
  type Partitions,
  type RawRange,
  type RawValues,
  type RawWindows,
  type RowPages,
  type RowSource,
} from './raw.ts'
import { windowPages } from './window-pages.ts'

/** What a source of committed rows must know of the app. */
export interface CommittedParts extends Partitions {
  readonly reader: BackendReader
  /** undefined: nothing was ever written to this store. */
  storeId(name: string): number | undefined
  /** Waits, blocking, for what another thread is writing: until the event loop is come back to, all reads are of one moment. */
  readonly settle?: () => void
}

/** Keys that are read together where the bytes of rows are watched. */
const atOnce = 64

/** Where the rows of a store lie. */
interface Place {
  readonly id: number
  readonly partitions: readonly number[]
  readonly prefixes: readonly Buffer[]
}

/**
 * Rows as the last checkpoint left them, from the database: from any thread, without a word to those who process. A scan holds
 * a snapshot of the moment it began.
 */
export class CommittedRows implements RowSource {
  private readonly parts: CommittedParts
  /** As they were the last time. */
  private readonly known = new WeakMap<StoreLayout, Place>()
  private readonly points: PointReads

  constructor(parts: CommittedParts) {
    this.parts = parts
    this.points = new PointReads(parts.reader)
  }

  getOne(layout: StoreLayout, key: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const prefixes = this.prefixes(layout)
    const look = this.look(layout, key)
    if (layout.inParts) {
      this.parts.settle?.()
      return this.parted(prefixes, key, look)
    }
    const likely = first(prefixes, look)
    if (likely.length === 0) return undefined
    const found = this.points.get(likely.map((prefix) => concat(prefix, key)))
    return look.at === undefined || look.only ? found : this.orElse(found, prefixes, look, Buffer.from(key))
  }

  get(layout: StoreLayout, keys: readonly Uint8Array[], most = Number.POSITIVE_INFINITY): RawValues {
    const prefixes = this.prefixes(layout)
    const looks = keys.map((key) => this.look(layout, key))
    if (layout.inParts) {
      this.parts.settle?.()
      return keys.map((key, i) => this.parted(prefixes, key, looks[i] as Look))
    }
    // of all keys in one call: of one moment
    const read = (placesOf: (look: Look, key: number) => readonly Buffer[]): (Uint8Array | undefined)[] => {
      const values: (Uint8Array | undefined)[] = keys.map(() => undefined)
      const [wanted, whose]: [Buffer[], number[]] = [[], []]
      for (const [i, key] of keys.entries()) {
        for (const prefix of placesOf(looks[i] as Look, i)) {
          wanted.push(concat(prefix, key))
          whose.push(i)
        }
      }
      if (wanted.length === 0) return values
      const rows = this.many(wanted, most)
      for (const [at, i] of whose.entries()) values[i] ??= rows[at]
      return values
    }
    const values = read((look) => first(prefixes, look))
    const missing = (look: Look, i: number): boolean => values[i] === undefined && look.at !== undefined && !look.only
    return looks.some(missing) ? read((look, i) => (missing(look, i) ? prefixes : first(prefixes, look))) : values
  }

  scan(layout: StoreLayout, { gte, lt, reverse, blocks = false }: RawRange): RowPages {
    const { reader, settle } = this.parts
    const prefixes = this.prefixes(layout)
    const texts = blocks && layout.keys.serde === undefined
    // all of them at once: between two epochs' writes
    if (prefixes.length > 1) settle?.()
    const parts = prefixes.map((prefix) => {
      if (layout.inParts) {
        return iteratorPages(partsByKey(reader, prefix, gte, lt, reverse), prefix.length, settle)
      }
      const low = gte === undefined ? prefix : concat(prefix, gte)
      const high = lt === undefined ? after(prefix) : concat(prefix, lt)
      const range = reader.range({ gte: low, lt: high, reverse })
      return blockPages(texts ? range.textBlocks(layout.values.texts === true) : range.blocks(), prefix.length)
    })
    return mergePages(parts, reverse)
  }

  windows(layout: StoreLayout, range: RawWindows): RowPages {
    const { reader, settle } = this.parts
    const prefixes = this.prefixes(layout)
    const look = this.look(layout, range.key)
    const pages = (some: readonly Buffer[]): RowPages =>
      mergePages(
        some.map((prefix) => windowPages(reader, prefix, range, settle)),
        range.reverse,
      )
    return pagesOrElse(pages(first(prefixes, look)), () => pages(elsewhere(prefixes, look)))
  }

  private async orElse(
    found: Promise<Uint8Array | undefined>,
    prefixes: readonly Buffer[],
    look: Look,
    key: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    return (await found) ?? this.points.get(elsewhere(prefixes, look).map((prefix) => concat(prefix, key)))
  }

  private many(wanted: readonly Buffer[], most: number): RawValues {
    const { reader, settle } = this.parts
    if (most === Number.POSITIVE_INFINITY || wanted.length <= atOnce) return reader.getMany(wanted)
    // several reads are of one moment between two writes
    settle?.()
    const rows: (Uint8Array | undefined)[] = []
    let bytes = 0
    for (let from = 0; from < wanted.length; from += atOnce) {
      const some = reader.getMany(wanted.slice(from, from + atOnce))
      bytes += bytesIn(some)
      checkBytes(bytes, most)
      for (const row of some) rows.push(row)
    }
    return rows
  }

  private parted(prefixes: readonly Buffer[], key: Uint8Array, look: Look): Uint8Array | undefined {
    for (const some of [first(prefixes, look), elsewhere(prefixes, look)]) {
      for (const prefix of some) {
        const row = partsOfKey(this.parts.reader, prefix, key)
        if (row !== undefined) return row
      }
    }
    return undefined
  }

  private look(layout: StoreLayout, key: Uint8Array): Look {
    const { partitionsOf, partitionCount } = this.parts
    return lookFor(layout.placeOf, key, partitionsOf(layout), partitionCount?.(layout))
  }

  private prefixes(layout: StoreLayout): readonly Buffer[] {
    const id = this.parts.storeId(layout.name)
    if (id === undefined) return []
    const partitions = this.parts.partitionsOf(layout)
    const known = this.known.get(layout)
    if (known?.id === id && known.partitions === partitions) return known.prefixes
    const prefixes = partitions.map((partition) => statePrefix(id, partition))
    this.known.set(layout, { id, partitions, prefixes })
    return prefixes
  }
}

/** Pages of a range that is open from now on. */
function blockPages(blocks: IterableIterator<TextBlock, undefined>, prefix: number): PartPages {
  let pages = 0
  // the tasks of an app in this thread go on between two pages
  const breathe = async (): Promise<void> => {
    if (pages++ > 0) await setImmediate()
  }
  return {
    async next() {
      await breathe()
      const block = blocks.next().value ?? []
      const page: Row[] = []
      for (let at = 0; at < block.length; at += 2) {
        const key = block[at] as string | Uint8Array
        const value = block[at + 1] as string | Uint8Array
        page.push([
          typeof key === 'string' ? Buffer.from(key.slice(prefix)) : key.subarray(prefix),
          typeof value === 'string' ? Buffer.from(value) : value,
        ])
      }
      return page
    },
    blocks: {
      prefix,
      async next() {
        await breathe()
        return blocks.next().value
      },
    },
    close: () => void blocks.return?.(),
  }
}

function iteratorPages(rows: Iterator<Row>, prefix: number, settle: CommittedParts['settle']): PartPages {
  let pages = 0
  return {
    async next() {
      // the tasks of an app in this thread go on between two pages
      if (pages++ > 0) await setImmediate()
      settle?.()
      const page: Row[] = []
      while (page.length < pageRows) {
        const { done, value } = rows.next()
        if (done) break
        page.push([value[0].subarray(prefix), value[1]])
      }
      return page
    },
    close: () => void rows.return?.(),
  }
}

/** Partitions of a store that have rows, where nobody runs who knows how many there are: a seek each. */
export function storedPartitions(reader: BackendReader, id: number): number[] {
  const found: number[] = []
  const lt = statePrefix(id + 1, 0)
  for (let next = 0; next < 0x10000; ) {
    const [key] = reader.collect({ gte: statePrefix(id, next), lt, limit: 1 })
    if (key === undefined) break
    const partition = ((key[3] as number) << 8) | (key[4] as number)
    found.push(partition)
    next = partition + 1
  }
  return found
}
