import type { AnySerde } from '../../../dsl/plan/index.ts'
import { isFast } from '../../../dsl/serdes/fast.ts'
import { decodeValue, encodeValue } from '../../../state/codec/index.ts'

/**
 * What the three places of a foreign-key join tell each other. `number` counts the subscriptions that a task of the left table
 * has made (`from` is its partition), so that it is known of any answer whether it is still wanted.
 *
 *     left table ──Row, by left key─────────────────────────────▶ join
 *         └──────Follow, by foreign key──▶ right table ──Answer──▶
 */
export type Row = readonly [value: unknown, number: number, from: number, follows: boolean]
/** Number 0: it follows no more. */
export type Follow = readonly [key: unknown, number: number, from: number]
/** The right table's row, or null, and its timestamp. */
export type Answer = readonly [row: unknown, at: number, number: number, from: number]

/** No such row: it has no timestamp. */
export const NEVER = -1

/** Serdes are used where they may know more than the value codec. */
export const needed = (serde: AnySerde | undefined): AnySerde | undefined =>
  serde !== undefined && isFast(serde) && (serde.plainJson || serde.typedKey) ? undefined : serde

/** Of an array some of whose items have serdes of their own; undefined: the value codec does. */
export function itemsSerde(items: readonly (AnySerde | undefined)[]): AnySerde | undefined {
  const own = items.map(needed)
  if (own.every((serde) => serde === undefined)) return undefined
  return {
    ordered: false,
    serialize(value: readonly unknown[], topic) {
      return encodeValue(value.map((item, i) => (item === null || !own[i] ? item : own[i].serialize(item, topic))))
    },
    deserialize(bytes, topic) {
      const value = decodeValue(bytes) as unknown[]
      return value.map((item, i) => (item === null || !own[i] ? item : own[i].deserialize(item as Uint8Array, topic)))
    },
  }
}
