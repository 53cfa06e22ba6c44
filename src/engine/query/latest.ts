import { setImmediate } from 'node:timers/promises'
import type { Row } from '../../state/backend.ts'
import {
  type Bucket,
  type Entry,
  KeyValueTable,
  PartTable,
  readTime,
  WindowTable,
  writeTime,
} from '../../state/stores/index.ts'
import type { TaskGroup } from '../runtime/tasks/group.ts'
import { elsewhere, first, type Look, lookFor } from './key-places.ts'
import type { StoreLayout } from './layout.ts'
import { mergePages, pagesOrElse, type PartPages } from './merge.ts'
import {
  checkBytes,
  type Partitions,
  type RawQuery,
  type RawRange,
  type RawRows,
  type RawValues,
  type RawWindows,
  type RowPages,
  type RowSource,
} from './raw.ts'

/**
 * Rows of a page: each asks a thread that has other work. Most scans end early, so the first is small, and each four times the
 * one before.
 */
const firstRows = 16
const mostRows = 1024

/** Answers from the tables of a task, between two batches: what is not written yet included. */
export function answerLatest(
  group: TaskGroup,
  sub: number,
  partition: number,
  store: string,
  query: RawQuery,
): RawRows | RawValues {
  const table = group.stores.get(`${sub}_${partition}`)?.tables.get(store)
  if (table instanceof KeyValueTable) return keyValueRows(table, query)
  if (table instanceof WindowTable) return windowRows(table, query)
  if (table instanceof PartTable) return partRows(table, query)
  // a table is opened when its step is first used
  return query.type === 'get' ? query.keys.map(() => undefined) : []
}

function keyValueRows(table: KeyValueTable, query: RawQuery): RawRows | RawValues {
  const { keys, values } = table.space
  // copied: codecs may use their buffers again
  const bytes = (entry: Entry): Uint8Array => Buffer.from(values.encode(entry.value, entry.ts))
  if (query.type === 'get') {
    let size = 0
    return query.keys.map((key) => {
      const entry = table.load(keys.decode(key))
      if (entry.value === undefined) return undefined
      const row = bytes(entry)
      size += row.length
      checkBytes(size, query.most ?? Number.POSITIVE_INFINITY)
      return row
    })
  }
  if (query.type === 'windows') return []
  const rows: Row[] = []
  if (query.limit <= 0) return rows
  for (const entry of table.scan(query.gte, query.lt, query.reverse)) {
    rows.push([Buffer.from(keys.encode(entry.key)), bytes(entry)])
    if (rows.length >= query.limit) break
  }
  return rows
}

function partRows({ client, space: { keys } }: PartTable, query: RawQuery): RawRows | RawValues {
  if (query.type === 'get') return query.keys.map((key) => client?.rowOf(keys.decode(key)))
  if (query.type === 'windows' || client === undefined) return []
  const live = client.liveKeys()
  const rows: Row[] = []
  for (const key of query.reverse ? live.toReversed() : live) {
    if (rows.length >= query.limit) break
    const bytes = Buffer.from(keys.encode(key))
    if (query.gte !== undefined && Buffer.compare(bytes, query.gte) < 0) continue
    if (query.lt !== undefined && Buffer.compare(bytes, query.lt) >= 0) continue
    const row = client.rowOf(key)
    if (row !== undefined) rows.push([bytes, row])
  }
  return rows
}

function windowRows(table: WindowTable, query: RawQuery): RawRows | RawValues {
  const { keys, values } = table.space
  const bytes = (entry: Entry): Uint8Array => Buffer.from(values.encode(entry.value, entry.ts))
  const rowKey = (start: number, key: unknown): Buffer => {
    const encoded = keys.encode(key)
    const row = Buffer.allocUnsafe(8 + encoded.length)
    writeTime(row, start, 0)
    row.set(encoded, 8)
    return row
  }
  const entryOf = (bucket: Bucket | undefined, key: Uint8Array): Entry | undefined => {
    const entry = bucket?.load(keys.decode(key))
    return entry?.value === undefined ? undefined : entry
  }
  if (query.type === 'get') {
    return query.keys.map((key) => {
      const entry = entryOf(table.peek(readTime(key, 0)), key.subarray(8))
      return entry === undefined ? undefined : bytes(entry)
    })
  }
  const rows: Row[] = []
  const starts = query.reverse ? table.liveStarts.toReversed() : table.liveStarts
  for (const start of starts) {
    if (rows.length >= query.limit) break
    if (query.type === 'windows') {
      const entry = start < query.from || start > query.to ? undefined : entryOf(table.peek(start), query.key)
      if (entry !== undefined) rows.push([rowKey(start, entry.key), bytes(entry)])
      continue
    }
    if (outside(start, query.gte, query.lt)) continue
    const bucket = table.peek(start) as Bucket
    const entries = query.reverse ? table.rows(bucket).toReversed() : table.rows(bucket)
    for (const entry of entries) {
      const key = rowKey(start, entry.key)
      if (query.gte !== undefined && Buffer.compare(key, query.gte) < 0) continue
      if (query.lt !== undefined && Buffer.compare(key, query.lt) >= 0) continue
      rows.push([key, bytes(entry)])
      if (rows.length >= query.limit) break
    }
  }
  return rows
}

/** No row of this start is in the range. */
function outside(start: number, gte: Uint8Array | undefined, lt: Uint8Array | undefined): boolean {
  if (gte !== undefined && gte.length >= 8 && start < readTime(gte, 0)) return true
  return lt !== undefined && lt.length >= 8 && start > readTime(lt, 0)
}

/** Between two pages: tasks that share the thread with who asks go on. */
function breaths(): () => Promise<void> {
  let pages = 0
  return async () => {
    if (pages++ > 0) await setImmediate()
  }
}

/** Asks the thread that owns a partition of a store. */
export type AskOwner = (
  layout: StoreLayout,
  partition: number,
  query: RawQuery,
) => RawRows | RawValues | Promise<RawRows | RawValues>

/** Rows as they are now, from the threads that change them. */
export class LatestRows implements RowSource {
  private readonly ask: AskOwner
  private readonly partitions: Partitions

  constructor(ask: AskOwner, partitions: Partitions) {
    this.ask = ask
    this.partitions = partitions
  }

  async get(layout: StoreLayout, keys: readonly Uint8Array[], most?: number): Promise<RawValues> {
    const partitions = this.partitions.partitionsOf(layout)
    const looks = keys.map((key) => this.look(layout, key))
    const values: (Uint8Array | undefined)[] = keys.map(() => undefined)
    const ask = async (placesOf: (look: Look, key: number) => readonly number[]): Promise<void> => {
      const asked = new Map<number, number[]>()
      for (const [i, look] of looks.entries()) {
        for (const partition of placesOf(look, i)) {
          const which = asked.get(partition)
          if (which === undefined) asked.set(partition, [i])
          else which.push(i)
        }
      }
      const answers = Array.from(asked, async ([partition, which]) => {
        const query: RawQuery = { type: 'get', keys: which.map((i) => keys[i] as Uint8Array), most }
        const found = (await this.askOwner(layout, partition, query)) as RawValues
        for (const [at, i] of which.entries()) values[i] ??= found[at]
      })
      await Promise.all(answers)
    }
    await ask((look) => first(partitions, look))
    await ask((look, i) => (values[i] === undefined ? elsewhere(partitions, look) : []))
    return values
  }

  scan(layout: StoreLayout, { gte, lt, reverse }: RawRange): RowPages {
    const pages = (partition: number): PartPages => {
      let [low, high, over, limit] = [gte, lt, false, firstRows]
      const breathe = breaths()
      return {
        next: async () => {
          if (over) return []
          await breathe()
          const bounds = { ...(low === undefined ? {} : { gte: low }), ...(high === undefined ? {} : { lt: high }) }
          const query: RawQuery = { type: 'scan', ...bounds, reverse, limit }
          const rows = (await this.askOwner(layout, partition, query)) as RawRows
          over = rows.length < limit
          limit = Math.min(4 * limit, mostRows)
          const last = rows.at(-1)?.[0]
          if (last !== undefined && reverse) high = last
          else if (last !== undefined) low = Buffer.concat([last, Buffer.of(0)])
          return rows
        },
        close: () => {},
      }
    }
    return mergePages(this.partitions.partitionsOf(layout).map(pages), reverse)
  }

  windows(layout: StoreLayout, { key, from, to, reverse }: RawWindows): RowPages {
    const pages = (partition: number): PartPages => {
      let [low, high, over, limit] = [from, to, false, firstRows]
      const breathe = breaths()
      return {
        next: async () => {
          if (over) return []
          await breathe()
          const query: RawQuery = { type: 'windows', key, from: low, to: high, reverse, limit }
          const rows = (await this.askOwner(layout, partition, query)) as RawRows
          over = rows.length < limit
          limit = Math.min(4 * limit, mostRows)
          const last = rows.at(-1)?.[0]
          if (last !== undefined && reverse) high = readTime(last, 0) - 1
          else if (last !== undefined) low = readTime(last, 0) + 1
          return rows
        },
        close: () => {},
      }
    }
    const merged = (some: readonly number[]): RowPages => mergePages(some.map(pages), reverse)
    const [partitions, look] = [this.partitions.partitionsOf(layout), this.look(layout, key)]
    return pagesOrElse(merged(first(partitions, look)), () => merged(elsewhere(partitions, look)))
  }

  private look(layout: StoreLayout, key: Uint8Array): Look {
    const { partitions } = this
    return lookFor(layout.placeOf, key, partitions.partitionsOf(layout), partitions.partitionCount?.(layout))
  }

  /** User code may ask in the midst of a batch: it is answered after it. */
  private async askOwner(layout: StoreLayout, partition: number, query: RawQuery): Promise<RawRows | RawValues> {
    await Promise.resolve()
    return this.ask(layout, partition, query)
  }
}
