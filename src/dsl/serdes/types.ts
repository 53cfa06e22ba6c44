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
  /** For topics alone: stores and repartitions keep such values in dhaara's own codec. */
  readonly topicsOnly?: boolean
  /** Called before the first value is written to a topic that is known when an app starts. What it throws refuses the start. */
  prepareToWrite?(topic: string): Promise<void>
  /**
   * Called before bytes [starts[i], ends[i]) of `data`, i in [from, to), are read; a start of -1: none. What it gives is awaited
   * first; undefined: they can be read at once. It does not reject: what is wrong shows when they are read.
   */
  prepareToRead?(
    data: Buffer,
    starts: Int32Array,
    ends: Int32Array,
    from: number,
    to: number,
  ): Promise<void> | undefined
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
