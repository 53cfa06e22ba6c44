import { DhaaraError } from '../../errors/index.ts'
import { compareKeys, keyPrefixRange } from '../../state/codec/index.ts'
import { after, readTime, writeTime } from '../../state/stores/index.ts'
import { valueAsOf } from './as-of.ts'
import { type Bounds, type Entry, entriesOf, type WindowedKey } from './entries.ts'
import { indexLayout, indexPrefix } from './indexes.ts'
import { type Shape, showHeld, type StoreLayout } from './layout.ts'
import { observed } from './observed.ts'
import type { OpenStore } from './open-store.ts'
import { bytesIn, checkBytes, type RowPages, type RowSource } from './raw.ts'
import { type HasTypedKeys, type KeysFromJson, typedIn, typedKeys } from './typed-key.ts'
import { watchedOf, type Watched } from './watch.ts'
import { rowScan, type Start } from './scan.ts'
import { changesOf } from './subscribe.ts'
import type { Change, CountOptions, ObserveOptions, Observed, QueryOptions, Scan, ScanOptions } from './types.ts'

/** Option of `getMany`: rows may have so many bytes, for who does not know who asks. */
export const mostBytes = Symbol('mostBytes')

export interface MostBytes {
  readonly [mostBytes]?: number
}

/** Option of `subscribe`: the one key to be watched, whatever it looks like. */
export const oneKey = Symbol('oneKey')

/** Event times in keys end here. */
const lastTime = Number.MAX_SAFE_INTEGER

/**
 * What a store can be asked; of any kind. Types say what a handle's store has; what it has not is refused here.
 *
 * @param open opens the store each time it is asked. It throws where there is no such store, or no app that runs
 */
export class StoreQuery implements HasTypedKeys {
  private readonly open: () => OpenStore

  constructor(open: () => OpenStore) {
    this.open = open
  }

  async get(key: unknown, options: QueryOptions = {}): Promise<unknown> {
    const { layout, rows } = this.open()
    needKeys(layout)
    const source = rows(options)
    const bytes =
      source.getOne === undefined
        ? (await source.get(layout, [encoded(layout, key)]))[0]
        : await source.getOne(layout, encodedNow(layout, key))
    options.signal?.throwIfAborted()
    return heldIn(layout, bytes)
  }

  async getMany(keys: Iterable<unknown>, options: QueryOptions & MostBytes = {}): Promise<unknown[]> {
    const { layout, rows } = this.open()
    const { [mostBytes]: most } = options
    needKeys(layout)
    const wanted = Array.from(keys, (key) => encoded(layout, key))
    const found = await rows(options).get(layout, wanted, most)
    options.signal?.throwIfAborted()
    if (most !== undefined) checkBytes(bytesIn(found), most)
    return found.map((bytes) => heldIn(layout, bytes))
  }

  async asOf(key: unknown, at: number, options: QueryOptions = {}): Promise<unknown> {
    const { layout, rows } = this.open()
    const { shape, history } = layout
    needTime(at)
    if (history === undefined || shape.kind !== 'keyValue')
      throw cannot(layout, 'asOf', "it is no versioned store: give its step {store: {kind: 'versioned', history: …}}")
    const value = await valueAsOf(layout, history, rows(options), encoded(layout, key), at)
    options.signal?.throwIfAborted()
    return value === undefined ? undefined : shape.show(value)
  }

  async count(options: CountOptions = {}): Promise<number> {
    const { layout, rows, estimate } = this.open()
    const kept = options.estimate === true ? await estimate() : undefined
    if (kept !== undefined) return kept
    const pages = rows(options).scan(layout, { reverse: false })
    let n = 0
    try {
      for (let page = await pages.next(); page.length > 0; page = await pages.next()) {
        options.signal?.throwIfAborted()
        const { kind } = layout.shape
        if (kind !== 'window' && kind !== 'windows') n += page.length
        else for (const row of page) n += entriesOf(layout, row).length
      }
      return n
    } finally {
      pages.close()
    }
  }

  all(options: ScanOptions = {}): Scan<unknown, unknown> {
    return this.rows(options, () => ({}))
  }

  range(from: unknown, to: unknown, options: ScanOptions = {}): Scan<unknown, unknown> {
    return this.rows(options, (layout) => {
      needOrder(layout, 'range')
      return {
        ...(from === undefined ? {} : { gte: encoded(layout, from) }),
        ...(to === undefined ? {} : { lt: behind(encoded(layout, to)) }),
      }
    })
  }

  prefix(prefix: unknown, options: ScanOptions = {}): Scan<unknown, unknown> {
    return this.rows(options, (layout) => prefixOf(layout, prefix))
  }

  by(index: string, value: unknown, options: ScanOptions = {}): Scan<unknown, unknown> {
    let opened: StoreLayout | undefined
    let prefix = 0
    return rowScan({
      options,
      open: (start) => {
        const { layout, rows, indexes } = this.open()
        opened = layout
        if (!indexes.includes(index)) {
          const known = indexes.length === 0 ? 'it has none' : `it has ${indexes.join(', ')}`
          throw cannot(layout, `by('${index}')`, `${known}: give its step {store: {indexes: {${index}: (value) => …}}}`)
        }
        if (options.isolation === 'latest')
          throw cannot(layout, `by('${index}')`, "indexes are committed ones: leave out isolation: 'latest'")
        const gte = asked(layout, () => indexPrefix(value))
        prefix = gte.length
        const range = { gte, lt: after(gte) }
        const reverse = options.reverse ?? false
        return rows(options).scan(indexLayout(layout, index), {
          ...(start === undefined ? range : cut(range, start, reverse)),
          reverse,
        })
      },
      entriesOf: ([key, bytes]) => entriesOf(opened as StoreLayout, [key.subarray(prefix), bytes]),
    })
  }

  fetch(key: unknown, from: number, to: number, options: ScanOptions = {}): Scan<unknown, unknown> {
    let opened: StoreLayout | undefined
    return rowScan({
      options,
      open: (start) => {
        const { layout, rows } = this.open()
        const { shape } = layout
        opened = layout
        const bytes = encoded(layout, key)
        const reverse = options.reverse ?? false
        const between = timesOf(from, to)
        if (shape.kind === 'window') {
          const times = shape.aligned ? between : { from: 0, to: lastTime }
          const cut = start === undefined ? times : cutTimes(times, start, reverse)
          return rows(options).windows(layout, { key: bytes, ...cut, reverse })
        }
        if (shape.kind === 'windowedRows') return rows(options).scan(layout, { ...cutOff(start, reverse), reverse })
        if (shape.kind === 'windows') return one(rows(options), layout, bytes)
        throw cannot(layout, 'fetch', 'its keys have no windows: ask for get(key)')
      },
      entriesOf: (row) => {
        const entries = within(entriesOf(opened as StoreLayout, row), from, to)
        // where rows are not found by their key
        if (opened?.shape.kind !== 'windowedRows') return entries
        return entries.filter(([windowed]) => compareKeys((windowed as WindowedKey).key, key) === 0)
      },
    })
  }

  fetchAll(from: number, to: number, options: ScanOptions = {}): Scan<unknown, unknown> {
    const bounds = (layout: StoreLayout): Bounds => {
      const { shape } = layout
      const times = timesOf(from, to)
      if (shape.kind === 'windows' || shape.kind === 'windowedRows') return {}
      if (shape.kind !== 'window') throw cannot(layout, 'fetchAll', 'its keys have no windows: ask for all()')
      if (!shape.aligned) return {}
      return { gte: timeKey(times.from), lt: timeKey(Math.min(times.to + 1, lastTime)) }
    }
    return this.rows(options, bounds, (entries) => within(entries, from, to))
  }

  sessions(key: unknown, options: ScanOptions = {}): Scan<unknown, unknown> {
    return this.fetch(key, 0, lastTime, options)
  }

  /** Of windows: all keys, or one. */
  subscribe(keys?: unknown, options: ObserveOptions = {}): Observed<Change<unknown, unknown>> {
    return observed((stop) => {
      const signal = options.signal === undefined ? stop : AbortSignal.any([stop, options.signal])
      const opened = this.open()
      return changesOf(opened, watchedBy(opened.layout, keys), { ...options, signal })
    })
  }

  [typedKeys](options: QueryOptions, index?: string): KeysFromJson | Promise<KeysFromJson> {
    return typedIn(this.open(), options, index)
  }

  private rows(
    options: ScanOptions,
    bounds: (layout: StoreLayout) => Bounds,
    only?: (entries: readonly Entry[]) => readonly Entry[],
  ): Scan<unknown, unknown> {
    let opened: StoreLayout | undefined
    return rowScan({
      options,
      plain: () => {
        const { layout } = this.open()
        const { shape, inParts } = layout
        const asHeld = shape.kind === 'keyValue' && shape.show === showHeld
        return only === undefined && asHeld && !inParts ? layout : undefined
      },
      open: (start, blocks) => {
        const { layout, rows } = this.open()
        opened = layout
        if (layout.shape.kind === 'list') throw cannot(layout, 'a scan', 'it keeps lists: ask for get(key)')
        const reverse = options.reverse ?? false
        const range = bounds(layout)
        if (start === undefined) return rows(options).scan(layout, { ...range, reverse, blocks })
        return rows(options).scan(layout, { ...cut(range, start, reverse), reverse })
      },
      entriesOf: (row) => {
        const entries = entriesOf(opened as StoreLayout, row)
        return only === undefined ? entries : only(entries)
      },
    })
  }
}

/** What a key has, by its row. */
function heldIn({ shape, values }: StoreLayout, bytes: Uint8Array | undefined): unknown {
  if (shape.kind === 'list') return bytes === undefined ? [] : values.decode(bytes)
  return bytes === undefined ? undefined : (shape as KeyShape).show(values.decode(bytes))
}

type KeyShape = Extract<Shape, { readonly kind: 'keyValue' }>

const within = (entries: readonly Entry[], from: number, to: number): readonly Entry[] =>
  entries.filter(([key]) => {
    const { start } = (key as WindowedKey).window
    return start >= from && start <= to
  })

/** The one row of a key. */
function one(rows: RowSource, layout: StoreLayout, key: Uint8Array): RowPages {
  let asked = false
  return {
    async next() {
      if (asked) return []
      asked = true
      const [bytes] = await rows.get(layout, [key])
      return bytes === undefined ? [] : [[key, bytes]]
    },
    close: () => {},
  }
}

/** A range from a row on, with that row: what of it was given is left out later. */
function cut(range: Bounds, { key }: Start, reverse: boolean): Bounds {
  const { gte, lt } = range
  if (!reverse) return { ...range, gte: gte !== undefined && Buffer.compare(gte, key) > 0 ? gte : key }
  const end = behind(key)
  return { ...range, lt: lt !== undefined && Buffer.compare(lt, end) < 0 ? lt : end }
}

const cutOff = (start: Start | undefined, reverse: boolean): Bounds =>
  start === undefined ? {} : cut({}, start, reverse)

/** @throws DhaaraError DHAARA_QUERY: no scan of windows has ended there */
function cutTimes(times: Times, { key }: Start, reverse: boolean): Times {
  if (key.length < 8)
    throw new DhaaraError('DHAARA_QUERY', 'the cursor is of another scan; give one of the same windows')
  const at = readTime(key, 0)
  return reverse ? { from: times.from, to: Math.min(times.to, at) } : { from: Math.max(times.from, at), to: times.to }
}

interface Times {
  readonly from: number
  readonly to: number
}

/** @throws DhaaraError DHAARA_QUERY */
function timesOf(from: number, to: number): Times {
  needTime(from)
  needTime(to)
  return { from: clamp(Math.ceil(from)), to: clamp(Math.floor(to)) }
}

/** @throws DhaaraError DHAARA_QUERY */
function needTime(at: unknown): void {
  if (typeof at !== 'number' || Number.isNaN(at))
    throw new DhaaraError('DHAARA_QUERY', `${String(at)} is no time; expected epoch milliseconds`)
}

const clamp = (at: number): number => Math.min(Math.max(at, 0), lastTime)

function timeKey(at: number): Buffer {
  const key = Buffer.allocUnsafe(8)
  writeTime(key, at, 0)
  return key
}

function watchedBy(layout: StoreLayout, keys: unknown): Watched {
  if (keys === undefined) return watchedOf(layout, { kind: 'all' })
  if (isOneKey(keys)) return watchedOf(layout, { kind: 'key', key: encoded(layout, keys[oneKey]) })
  if (isPrefix(keys)) return watchedOf(layout, { kind: 'range', ...prefixOf(layout, keys.prefix) })
  return watchedOf(layout, { kind: 'key', key: encoded(layout, keys) })
}

const isOneKey = (keys: unknown): keys is { readonly [oneKey]: unknown } =>
  typeof keys === 'object' && keys !== null && Object.hasOwn(keys, oneKey)

const isPrefix = (keys: unknown): keys is { readonly prefix: unknown } =>
  typeof keys === 'object' && keys !== null && Object.keys(keys).length === 1 && 'prefix' in keys

function prefixOf(layout: StoreLayout, prefix: unknown): Bounds {
  needOrder(layout, 'prefix')
  if (layout.keys.serde === undefined) return asked(layout, () => keyPrefixRange(prefix))
  const bytes = encoded(layout, prefix)
  return bytes.length === 0 ? {} : { gte: bytes, lt: after(bytes) }
}

const behind = (key: Uint8Array): Buffer => Buffer.concat([key, Buffer.of(0)])

const encoded = (layout: StoreLayout, key: unknown): Uint8Array => Buffer.from(encodedNow(layout, key))

/** Good until the next key is encoded. */
const encodedNow = (layout: StoreLayout, key: unknown): Uint8Array => asked(layout, () => layout.keys.encode(key))

/** What cannot be a key is wrong with the question, not with a value. */
function asked<T>({ name }: StoreLayout, encode: () => T): T {
  try {
    return encode()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new DhaaraError('DHAARA_QUERY', `store '${name}' cannot have such a key: ${why}`, { cause })
  }
}

function needKeys(layout: StoreLayout): void {
  const { kind } = layout.shape
  if (kind !== 'keyValue' && kind !== 'list')
    throw cannot(layout, 'get', 'its keys have windows: ask for fetch(key, from, to)')
}

function needOrder(layout: StoreLayout, call: string): void {
  if (layout.shape.kind !== 'keyValue') throw cannot(layout, call, 'its keys have windows: ask for fetch or fetchAll')
  if (!layout.shape.ordered) throw cannot(layout, call, 'its key serde keeps no order: ask for get or all')
}

const cannot = ({ name }: StoreLayout, call: string, why: string): DhaaraError =>
  new DhaaraError('DHAARA_QUERY', `store '${name}' cannot be asked for ${call}; ${why}`)
