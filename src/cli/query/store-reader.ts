import type { LogicalPlan } from '../../dsl/plan/index.ts'
import { appsOf } from '../../engine/app/state/identity.ts'
import { compile } from '../../engine/plan/compile.ts'
import { Queries, type Scan, type StoreLayout, StoreQuery, storedPartitions } from '../../engine/query/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { BackendReader } from '../../state/backend.ts'
import { time } from '../arguments.ts'

/** What is asked of a store, as the command line says it. */
export interface RowRequest {
  readonly store: string
  readonly key?: string
  /** The key is no key: it is a value of this secondary index. */
  readonly by?: string
  readonly prefix?: string
  /** A key, or for windows a time: epoch milliseconds or a date. */
  readonly from?: string
  readonly to?: string
  /** Of versioned stores: the row that held then. */
  readonly at?: string
  readonly limit: number
}

/** A windowed key is {key, window: {start, end}}. */
export interface StoreRow {
  readonly key: unknown
  readonly value: unknown
}

/** Reads committed state of an app: all partitions of a store, by the topology that wrote it. */
export class StoreReader {
  readonly #queries: Queries

  constructor(plan: LogicalPlan, app: string, reader: BackendReader) {
    const idOf = (store: string): number | undefined => appsOf(reader).get(app)?.get(store)
    const partitionsOf = ({ name }: StoreLayout): readonly number[] => {
      const id = idOf(name)
      return id === undefined ? [] : storedPartitions(reader, id)
    }
    this.#queries = new Queries({
      plan: compile(plan),
      reader,
      storeId: idOf,
      storeIdFor: (name) => idOf(name) ?? 0,
      partitionsOf,
    })
  }

  /** @throws DhaaraError DHAARA_STORE_UNKNOWN, DHAARA_QUERY if the store's kind cannot be asked this, DHAARA_OPTION */
  async query(request: RowRequest): Promise<StoreRow[]> {
    const opened = this.#queries.open(request.store)
    const store = new StoreQuery(() => opened)
    const { kind } = opened.layout.shape
    const windows = kind !== 'keyValue' && kind !== 'list'
    checkRequest(request, windows)
    if (windows) return windowRows(store, request)
    const { key, by, prefix, from, to, at, limit } = request
    if (by !== undefined) return firstThatFits(key as string, (value) => store.by(by, value, { limit }))
    if (key !== undefined) return rowOfKey(store, key, timeOf(at))
    if (prefix !== undefined) return firstThatFits(prefix, (text) => store.prefix(text, { limit }))
    if (from === undefined && to === undefined) return rowsOf(store.all({ limit }))
    const bounds = (text: string | undefined) => (text === undefined ? [undefined] : keysOf(text))
    for (const low of bounds(from)) {
      for (const high of bounds(to)) {
        if (low !== undefined && high !== undefined && typeof low !== typeof high) continue
        const rows = await rowsOf(store.range(low, high, { limit }))
        if (rows.length > 0) return rows
      }
    }
    return []
  }
}

/** @throws DhaaraError DHAARA_OPTION: options that say different things, of which one would be left out */
export function checkRequest({ key, by, prefix, from, to, at }: RowRequest, windows: boolean): void {
  const range = from !== undefined || to !== undefined
  const refuse = (what: string): never => {
    throw new DhaaraError('DHAARA_OPTION', what)
  }
  if (by !== undefined) {
    if (windows) refuse(`found --by ${by} for a store of windows, which has no indexes`)
    if (key === undefined) refuse(`found --by ${by} without a value; give it in the place of a key`)
    if (prefix !== undefined || range || at !== undefined)
      refuse('found --by and --prefix, --from, --to or --at; an index has rows of one value, as of the last checkpoint')
  }
  if (at !== undefined && key === undefined)
    refuse('found --at without a key; it asks for the row of one key at a time')
  if (at !== undefined && windows) refuse('found --at for a store of windows; give --from and --to')
  if (key !== undefined && prefix !== undefined) refuse('found a key and --prefix; give one of them')
  if (prefix !== undefined && range) refuse('found --prefix and --from or --to; give one of them')
  if (key !== undefined && range && !windows) refuse('found a key and --from or --to; give one of them')
}

async function windowRows(store: StoreQuery, { key, prefix, limit, ...request }: RowRequest): Promise<StoreRow[]> {
  if (prefix !== undefined) return rowsOf(store.prefix(prefix))
  const from = timeOf(request.from) ?? 0
  const to = timeOf(request.to) ?? Number.MAX_SAFE_INTEGER
  if (key === undefined) return rowsOf(store.fetchAll(from, to, { limit }))
  return firstThatFits(key, (one) => store.fetch(one, from, to, { limit }))
}

async function rowOfKey(store: StoreQuery, text: string, at: number | undefined): Promise<StoreRow[]> {
  for (const key of keysOf(text)) {
    const value = await attempt(() => (at === undefined ? store.get(key) : store.asOf(key, at)))
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) return [{ key, value }]
  }
  return []
}

async function firstThatFits(text: string, rows: (key: unknown) => Scan<unknown, unknown>): Promise<StoreRow[]> {
  for (const key of keysOf(text)) {
    const found = await attempt(() => rowsOf(rows(key)))
    if (found !== undefined && found.length > 0) return found
  }
  return []
}

async function rowsOf(scan: Scan<unknown, unknown>): Promise<StoreRow[]> {
  return (await scan.toArray()).map(([key, value]) => ({ key, value }))
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
async function attempt<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    const cause = error instanceof DhaaraError ? error.cause : undefined
    if (cause instanceof DhaaraError && cause.code === 'DHAARA_SERIALIZE') return undefined
    throw error
  }
}

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = time(text)
  if (ms !== undefined) return ms
  throw new DhaaraError(
    'DHAARA_OPTION',
    `'${text}' is no time; give epoch milliseconds, or a date such as 2026-10-20T12:00:00Z`,
  )
}
