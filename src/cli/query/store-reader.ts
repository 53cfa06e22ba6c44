import type { LogicalPlan } from '../../dsl/plan/index.ts'
import { appsOf } from '../../engine/app/identity.ts'
import { compile } from '../../engine/plan/compile.ts'
import type { PhysicalPlan } from '../../engine/plan/physical.ts'
import type { Host } from '../../engine/runtime/host.ts'
import { storeAccess } from '../../engine/runtime/instance.ts'
import { TaskStores } from '../../engine/runtime/stores.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { BackendReader } from '../../state/backend.ts'
import { STATE_SPACE, statePrefix } from '../../state/stores/index.ts'

/** What is asked of a store, as the command line says it. */
export interface StoreQuery {
  readonly store: string
  readonly key?: string
  readonly prefix?: string
  /** A key, or for windows a time: epoch milliseconds or a date. */
  readonly from?: string
  readonly to?: string
  readonly limit: number
}

/** A windowed key is {key, window: {start, end}}. */
export interface StoreRow {
  readonly key: unknown
  readonly value: unknown
}

type Rows = Iterable<readonly [unknown, unknown]>

/** A store of any kind as the engine shows it; calls that a kind does not have are missing. */
interface AnyStore {
  get?(key: unknown, start?: number): unknown
  all?(): Rows
  range?(from: unknown, to: unknown): Rows
  prefix?(prefix: unknown): Rows
  fetch?(key: unknown, from: number, to: number): Rows
  fetchAll?(from: number, to: number): Rows
  values?(key: unknown): Iterable<unknown>
}

const cacheBytes = 1 << 20
/** No store has this id: it has no rows. */
const noStore = 0xffff

/** Reads committed state of an app: all partitions of a store, by the topology that wrote it. */
export class StoreReader {
  readonly #plan: PhysicalPlan
  readonly #app: string
  readonly #reader: BackendReader

  constructor(plan: LogicalPlan, app: string, reader: BackendReader) {
    this.#plan = compile(plan)
    this.#app = app
    this.#reader = reader
  }

  /** @throws DhaaraError DHAARA_STORE_UNKNOWN, DHAARA_OPTION if the store's kind cannot be asked this */
  query(query: StoreQuery): StoreRow[] {
    const rows: StoreRow[] = []
    for (const store of this.#partitions(query.store)) {
      for (const row of rowsOf(store, query)) {
        if (rows.length >= query.limit) return rows
        rows.push(row)
      }
    }
    return rows
  }

  *#partitions(name: string): Generator<AnyStore> {
    const { stores, steps } = this.#plan
    const spec = stores.get(name)
    if (spec === undefined) {
      const known = [...stores.keys()].join(', ') || 'none'
      throw new DhaaraError('DHAARA_STORE_UNKNOWN', `'${this.#app}' has no store '${name}'; it has: ${known}`)
    }
    const ids = appsOf(this.#reader).get(this.#app)
    const id = ids?.get(name)
    const found = id === undefined ? [] : partitionsOf(this.#reader, id)
    const host = { reader: this.#reader, storeId: (store: string) => ids?.get(store) ?? noStore } as Host
    const owner = steps.find(({ op }) => 'store' in op && op.store?.name === name)
    // An empty store is opened too: what it cannot be asked is refused, whether it has rows or not.
    for (const partition of found.length === 0 ? [0] : found) {
      const tables = new TaskStores([...stores.values()], host, partition, 1, cacheBytes)
      yield storeAccess(tables, spec, owner, () => 0) as AnyStore
    }
  }
}

/** Partitions that have rows: one seek each. */
function partitionsOf(reader: BackendReader, id: number): number[] {
  const found: number[] = []
  const end = Buffer.of(STATE_SPACE, (id + 1) >> 8, (id + 1) & 0xff)
  for (let next = 0; next < 0x10000; ) {
    const [key] = reader.collect({ gte: statePrefix(id, next), lt: end, limit: 1 })
    if (key === undefined) break
    const partition = ((key[3] as number) << 8) | (key[4] as number)
    found.push(partition)
    next = partition + 1
  }
  return found
}

function rowsOf(store: AnyStore, query: StoreQuery): Iterable<StoreRow> {
  const { key, prefix, from, to } = query
  if (store.fetchAll !== undefined) return windowRows(store, query)
  if (store.values !== undefined) return listRows(store, query)
  if (key !== undefined) return oneRow(store, key)
  if (prefix !== undefined) {
    if (store.prefix === undefined) throw cannot(query, '--prefix')
    return firstThatFits(prefix, (text) => pairs((store.prefix as (p: unknown) => Rows)(text)))
  }
  if (from === undefined && to === undefined) return pairs(store.all?.() ?? [])
  if (store.range === undefined) throw cannot(query, '--from and --to')
  const bounds = (text: string | undefined) => (text === undefined ? [undefined] : keysOf(text))
  for (const low of bounds(from)) {
    for (const high of bounds(to)) {
      if (low !== undefined && high !== undefined && typeof low !== typeof high) continue
      const rows = [...pairs(store.range(low, high))]
      if (rows.length > 0) return rows
    }
  }
  return []
}

function windowRows(store: AnyStore, query: StoreQuery): Iterable<StoreRow> {
  if (query.prefix !== undefined) throw cannot(query, '--prefix')
  const from = timeOf(query.from) ?? Number.NEGATIVE_INFINITY
  const to = timeOf(query.to) ?? Number.POSITIVE_INFINITY
  const { key } = query
  if (key === undefined) return pairs(store.fetchAll?.(from, to) ?? [])
  return firstThatFits(key, (one) => pairs(store.fetch?.(one, from, to) ?? []))
}

function listRows(store: AnyStore, query: StoreQuery): Iterable<StoreRow> {
  if (query.key === undefined) throw cannot(query, 'anything but a key')
  for (const key of keysOf(query.key)) {
    const values = attempt(() => [...(store.values?.(key) ?? [])])
    if (values !== undefined && values.length > 0) return [{ key, value: values }]
  }
  return []
}

function oneRow(store: AnyStore, text: string): StoreRow[] {
  for (const key of keysOf(text)) {
    const value = attempt(() => store.get?.(key))
    if (value !== undefined) return [{ key, value }]
  }
  return []
}

function firstThatFits(text: string, rows: (key: unknown) => Iterable<StoreRow>): StoreRow[] {
  for (const key of keysOf(text)) {
    const found = attempt(() => [...rows(key)])
    if (found !== undefined && found.length > 0) return found
  }
  return []
}

/** What a text may mean as a key: itself, or what it is as JSON. */
function keysOf(text: string): unknown[] {
  try {
    const json: unknown = JSON.parse(text)
    return json === null ? [text] : typeof json === 'string' ? [json, text] : [text, json]
  } catch {
    return [text]
  }
}

/** A key of a type that the store does not have is not there. */
function attempt<T>(fn: () => T): T | undefined {
  try {
    return fn()
  } catch (error) {
    if (error instanceof DhaaraError && error.code === 'DHAARA_SERIALIZE') return undefined
    throw error
  }
}

function* pairs(rows: Rows): Generator<StoreRow> {
  for (const [key, value] of rows) yield { key, value }
}

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = /^-?\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (!Number.isNaN(ms)) return ms
  throw new DhaaraError(
    'DHAARA_OPTION',
    `'${text}' is no time; give epoch milliseconds, or a date such as 2026-10-20T12:00:00Z`,
  )
}

const cannot = ({ store }: StoreQuery, what: string): DhaaraError =>
  new DhaaraError(
    'DHAARA_OPTION',
    `store '${store}' cannot be asked for ${what}: its kind or the order of its keys does not allow it`,
  )
