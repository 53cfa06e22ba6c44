import { entryKey } from './entries.ts'
import type { StoreLayout } from './layout.ts'
import type { OpenStore } from './open-store.ts'
import type { AnyStoreQuery, QueryOptions } from './types.ts'

/**
 * Keys that came as JSON, which has no dates, no whole numbers beyond 2^53 and no bytes. What a key of a store is can be seen
 * by any of its rows:
 *
 *     a row's key            given as JSON                         asked for
 *     [Date, 'Pune']         ["2026-10-20T00:00:00.000Z","Pune"]   [Date, 'Pune']
 *     7n                     7, or "7"                             7n
 *     '2026-10-20'           "2026-10-20"                          '2026-10-20'
 */
export const typedKeys = Symbol('typedKeys')

/** Gives a key, or the start of one, as a store has it, for what it is as JSON. */
export type TypedKey = (json: unknown) => unknown

export interface HasTypedKeys {
  readonly [typedKeys]: (options: QueryOptions) => TypedKey | Promise<TypedKey>
}

/** How keys of a store are to be read; it is known as soon as the store has shown a row. */
export function keysFromJson(store: AnyStoreQuery, options: QueryOptions): TypedKey | Promise<TypedKey> {
  return (store as unknown as HasTypedKeys)[typedKeys](options)
}

/** Of each store that has shown a row. */
const known = new WeakMap<StoreLayout, TypedKey>()
const asItIs: TypedKey = (json) => json

/** See `keysFromJson`. */
export function typedIn({ layout, firstRow }: OpenStore, options: QueryOptions): TypedKey | Promise<TypedKey> {
  return (
    known.get(layout) ??
    firstRow(options).then((row) => {
      if (row === undefined) return asItIs
      const sample = entryKey(layout, row[0])
      const typed: TypedKey = (json) => like(sample, json)
      known.set(layout, typed)
      return typed
    })
  )
}

const whole = /^-?\d+$/
const iso = /^([+-]\d\d)?\d{4}-\d\d-\d\d(T|$)/

function like(sample: unknown, json: unknown): unknown {
  if (typeof sample === 'bigint') {
    const isWhole = typeof json === 'string' ? whole.test(json) : Number.isInteger(json)
    return isWhole ? BigInt(json as string | number) : json
  }
  if (typeof sample !== 'object' || sample === null) return json
  if (sample instanceof Date) return dateOf(json) ?? json
  if (typeof json !== 'object' || json === null) return json
  if (sample instanceof Uint8Array)
    return 'base64' in json && typeof json.base64 === 'string' ? Buffer.from(json.base64, 'base64') : json
  if (Array.isArray(sample)) return Array.isArray(json) ? json.map((part, i) => like(sample[i], part)) : json
  const parts = sample as Readonly<Record<string, unknown>>
  return Object.fromEntries(Object.entries(json).map(([name, part]) => [name, like(parts[name], part)]))
}

function dateOf(json: unknown): Date | undefined {
  if (typeof json !== 'number' && (typeof json !== 'string' || !iso.test(json))) return undefined
  const date = new Date(json)
  return Number.isNaN(date.getTime()) ? undefined : date
}
