/**
 * Turns keys or values into the bytes of a topic or store, and back. Never sees null or undefined: the engine handles those.
 * Make one with `serdes`, or with `serdes.from`.
 */
export interface Serde<T> {
  /** The order of the bytes is the order of the values. */
  readonly ordered: boolean
  /**
   * 0 … 65535. Written to the state's manifest and to each row of state; a change needs `migrate`, which is called when a row
   * of another version is read. `deserialize` is handed the bytes of all versions.
   */
  readonly version?: number
  serialize(value: T, topic: string): Uint8Array
  deserialize(bytes: Uint8Array, topic: string): T
  migrate?(old: unknown, fromVersion: number): T
}

/** What a sink needs: a serde of a wider type does. */
export interface Serializer<in T> {
  serialize: (value: T, topic: string) => Uint8Array
}

/**
 * The order of the bytes is the order of the values; only then do stores have `range` and `prefix`. Of the serdes that dhaara
 * brings, string, number, boolean, date and tuple are: stores keep their keys in the ordered key codec, topics in Java's bytes.
 */
export interface OrderedSerde<T> extends Serde<T> {
  readonly ordered: true
}

/** Keys that have an order, in this order of types: boolean, number, bigint, Date, string, tuple. */
export type OrderedKey = string | number | bigint | boolean | Date | readonly OrderedKey[]

export type KeyOrder = 'ordered' | 'opaque'

/** Stores that the DSL makes use the typed key codec: ordered whenever K is made of ordered types. */
export type OrderOf<K> = unknown extends K ? 'opaque' : [K] extends [OrderedKey] ? 'ordered' : 'opaque'

/** Standard Schema v1 (zod, valibot, arktype, ...), reduced to what is used. @see https://standardschema.dev */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    validate(value: unknown): unknown
    readonly types?: { readonly output: T } | undefined
  }
}
