import { DhaaraError } from '../../errors/index.ts'
import type { JsonRow } from './cells.ts'
import type { Queries } from './queries.ts'
import { StoreQuery } from './store-query.ts'
import { toJson } from './to-json.ts'
import { typedIn } from './typed-key.ts'
import type { Scan } from './types.ts'

/** The request by which another process of the machine asks a running app, with a `RowRequest`. */
export const rowsRequest = (app: string): string => `app.rows/${app}`

/** What is asked of a store, in texts, as a command line has them. */
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

/** What a text may mean as a key of the store. */
type KeysOf = (text: string) => unknown[]

/** Committed rows, as they are sent. @throws as `rowsByText` */
export async function jsonRowsByText(queries: Queries, request: RowRequest): Promise<JsonRow[]> {
  const rows = await rowsByText(queries, request)
  return rows.map(({ key, value }) => ({ key: toJson(key), value: toJson(value) }))
}

/** @throws DhaaraError DHAARA_STORE_UNKNOWN, DHAARA_QUERY if the store's kind cannot be asked this, DHAARA_OPTION */
async function rowsByText(queries: Queries, request: RowRequest): Promise<StoreRow[]> {
  const opened = queries.open(request.store)
  const store = new StoreQuery(() => opened)
  const { kind } = opened.layout.shape
  const windows = kind !== 'keyValue' && kind !== 'list'
  checkRequest(request, windows)
  const keys = await typedIn(opened, {}, request.by)
  const keysOf: KeysOf = (text) => readable(text, (one) => [...keys.likely(one), ...keys.others(one)])
  if (windows) return windowRows(store, keysOf, request)
  const { key, by, prefix, from, to, at, limit } = request
  if (by !== undefined) return firstThatFits(keysOf(key as string), (value) => store.by(by, value, { limit }))
  if (key !== undefined) return rowOfKey(store, keysOf(key), timeOf(at))
  if (prefix !== undefined) return firstThatFits(keysOf(prefix), (text) => store.prefix(text, { limit }))
  if (from === undefined && to === undefined) return rowsOf(store.all({ limit }))
  const bounds = (text: string | undefined) =>
    text === undefined ? [undefined] : readable(text, (one) => [keys.typed(one)])
  for (const low of bounds(from)) {
    for (const high of bounds(to)) {
      if (low !== undefined && high !== undefined && typeof low !== typeof high) continue
      const rows = await rowsOf(store.range(low, high, { limit }))
      if (rows.length > 0) return rows
    }
  }
  return []
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

async function windowRows(
  store: StoreQuery,
  keysOf: KeysOf,
  { key, prefix, limit, ...request }: RowRequest,
): Promise<StoreRow[]> {
  if (prefix !== undefined) return rowsOf(store.prefix(prefix))
  const from = timeOf(request.from) ?? 0
  const to = timeOf(request.to) ?? Number.MAX_SAFE_INTEGER
  if (key === undefined) return rowsOf(store.fetchAll(from, to, { limit }))
  return firstThatFits(keysOf(key), (one) => store.fetch(one, from, to, { limit }))
}

async function rowOfKey(store: StoreQuery, keys: readonly unknown[], at: number | undefined): Promise<StoreRow[]> {
  for (const key of keys) {
    const value = await attempt(() => (at === undefined ? store.get(key) : store.asOf(key, at)))
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) return [{ key, value }]
  }
  return []
}

async function firstThatFits(
  keys: readonly unknown[],
  rows: (key: unknown) => Scan<unknown, unknown>,
): Promise<StoreRow[]> {
  for (const key of keys) {
    const found = await attempt(() => rowsOf(rows(key)))
    if (found !== undefined && found.length > 0) return found
  }
  return []
}

async function rowsOf(scan: Scan<unknown, unknown>): Promise<StoreRow[]> {
  return (await scan.toArray()).map(([key, value]) => ({ key, value }))
}

/** What a text may mean that can be read as keys; itself always can. */
function readable(text: string, read: (meaning: unknown) => unknown[]): unknown[] {
  return meanings(text).flatMap((meaning) => {
    try {
      return read(meaning)
    } catch (error) {
      if (meaning === text) throw error
      return []
    }
  })
}

/** What a text may mean as a key: itself, or what it is as JSON. */
function meanings(text: string): unknown[] {
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
  const ms = parseTime(text)
  if (ms !== undefined) return ms
  throw new DhaaraError(
    'DHAARA_OPTION',
    `'${text}' is no time; give epoch milliseconds, or a date such as 2026-10-20T12:00:00Z`,
  )
}

/** Epoch milliseconds, or a date that JavaScript reads. */
export function parseTime(text: string): number | undefined {
  const ms = /^-?\d+$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}
