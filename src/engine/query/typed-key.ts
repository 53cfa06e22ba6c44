import { DhaaraError } from '../../errors/index.ts'
import { decodeKey } from '../../state/codec/index.ts'
import { entryKey } from './entries.ts'
import { indexLayout } from './indexes.ts'
import type { StoreLayout } from './layout.ts'
import type { OpenStore } from './open-store.ts'
import type { AnyStoreQuery, QueryOptions } from './types.ts'

/**
 * Keys that came as JSON, which has no dates, no whole numbers beyond 2^53 and no bytes. What a key of a store is can be seen
 * by any of its rows, and what an index is by, by any of its own:
 *
 *     a row's key            given as JSON                         asked for
 *     [Date, 'Pune']         ["2026-10-20T00:00:00.000Z","Pune"]   [Date, 'Pune']
 *     7n                     7, or "7"                             7n
 *     '2026-10-20'           "2026-10-20"                          '2026-10-20'
 *
 * Nothing is rounded to a key that was not meant: a date that no calendar has, part of a millisecond, and what is no base64 stay
 * what they are as JSON.
 */
export const typedKeys = Symbol('typedKeys')

/** How JSON is read as keys of a store, or as values of one of its indexes. */
export interface KeysFromJson {
  /**
   * A key, or the start of one, of the type that the first row has.
   * @throws DhaaraError DHAARA_QUERY for a number that JSON has rounded, where keys are bigints
   */
  typed(json: unknown): unknown
  /** The keys that are most likely meant: the text or number itself comes before what else it may tell. @throws as `typed` */
  likely(json: unknown): readonly unknown[]
  /** What else may be meant, where a store has keys of several types. Of keys in several parts the first row alone tells. */
  others(json: unknown): readonly unknown[]
}

export interface HasTypedKeys {
  readonly [typedKeys]: (options: QueryOptions, index?: string) => KeysFromJson | Promise<KeysFromJson>
}

/**
 * How keys of a store are to be read; it is known as soon as the store has shown a row.
 * @param index not its keys: the values of this index
 */
export function keysFromJson(
  store: AnyStoreQuery,
  options: QueryOptions,
  index?: string,
): KeysFromJson | Promise<KeysFromJson> {
  return (store as unknown as HasTypedKeys)[typedKeys](options, index)
}

/** Of each store that has shown a row, and of its indexes. */
const known = new WeakMap<StoreLayout, Map<string | undefined, KeysFromJson>>()

/** See `keysFromJson`. */
export function typedIn(
  { layout, firstRow, indexes }: OpenStore,
  options: QueryOptions,
  index?: string,
): KeysFromJson | Promise<KeysFromJson> {
  if (index !== undefined && !indexes.includes(index)) return keysLike(undefined, layout)
  return (
    known.get(layout)?.get(index) ??
    firstRow(options, index === undefined ? layout : indexLayout(layout, index)).then((row) => {
      if (row === undefined) return keysLike(undefined, layout)
      // an index row begins with the tag of a tuple and what the row is indexed by
      const sample = index === undefined ? entryKey(layout, row[0]) : decodeKey(row[0], 1)
      const keys = keysLike(sample, layout)
      const those = known.get(layout) ?? new Map<string | undefined, KeysFromJson>()
      known.set(layout, those.set(index, keys))
      return keys
    })
  )
}

function keysLike(sample: unknown, { keys: { serde } }: StoreLayout): KeysFromJson {
  const typed = (json: unknown): unknown => like(sample, json)
  // a serde has keys of one type
  const inParts = (json: unknown): boolean =>
    serde !== undefined || (typeof json === 'object' && bytesOf(json) === undefined)
  return {
    typed,
    likely(json) {
      const one = typed(json)
      return one === json || inParts(json) ? [one] : [json, one]
    },
    others(json) {
      if (inParts(json)) return []
      const one = typed(json)?.constructor
      return [dateOf(json), bigintOf(json), bytesOf(json)].filter((other) => other && other.constructor !== one)
    },
  }
}

function like(sample: unknown, json: unknown): unknown {
  if (typeof sample === 'bigint') {
    if (typeof json === 'number' && Number.isInteger(json) && !Number.isSafeInteger(json))
      throw new DhaaraError(
        'DHAARA_QUERY',
        `found ${json}, a whole number that JSON does not keep; give it as a text, in quotes`,
      )
    return bigintOf(json) ?? json
  }
  if (typeof sample !== 'object' || sample === null) return json
  if (sample instanceof Date) return dateOf(json) ?? json
  if (typeof json !== 'object' || json === null) return json
  if (sample instanceof Uint8Array) return bytesOf(json) ?? json
  if (Array.isArray(sample)) return Array.isArray(json) ? json.map((part, i) => like(sample[i], part)) : json
  const parts = sample as Readonly<Record<string, unknown>>
  return Object.fromEntries(Object.entries(json).map(([name, part]) => [name, like(parts[name], part)]))
}

const whole = /^-?\d+$/

function bigintOf(json: unknown): bigint | undefined {
  if (typeof json === 'string' ? whole.test(json) : Number.isSafeInteger(json)) return BigInt(json as string | number)
  return undefined
}

/** A day, then maybe a time of it, to the millisecond. */
const iso = /^((?:[+-]\d\d)?\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3}0*)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/

function dateOf(json: unknown): Date | undefined {
  const day = typeof json === 'string' ? iso.exec(json)?.[1] : undefined
  if (day === undefined ? !Number.isInteger(json) : !isDay(day)) return undefined
  const date = new Date(json as string | number)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** The 30th of February is read as the 2nd of March. */
function isDay(day: string): boolean {
  const date = new Date(day)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(`${day}T`)
}

function bytesOf(json: unknown): Buffer | undefined {
  if (typeof json !== 'object' || json === null || Object.keys(json).join() !== 'base64') return undefined
  const { base64 } = json as { readonly base64: unknown }
  if (typeof base64 !== 'string') return undefined
  const bytes = Buffer.from(base64, 'base64')
  return [bytes.toString('base64'), bytes.toString('base64url')].includes(base64) ? bytes : undefined
}
