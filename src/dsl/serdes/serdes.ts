import { DhaaraError } from '../../errors/index.ts'
import type { Windowed } from '../windows/types.ts'
import { JsonSerde } from './json.ts'
import { type FieldsOf, type JsonFields, JsonFieldsSerde } from './json-fields.ts'
import { MsgpackSerde } from './msgpack.ts'
import { BigintSerde, BooleanSerde, BytesSerde, DateSerde, NumberSerde, StringSerde } from './scalars.ts'
import { TupleSerde } from './tuple.ts'
import type { OrderedSerde, Serde, StandardSchema } from './types.ts'
import { WindowedSerde } from './windowed.ts'

const string = new StringSerde()
const number = new NumberSerde()
const bigint = new BigintSerde()
const boolean = new BooleanSerde()
const date = new DateSerde()
const bytes = new BytesSerde()
const plainJson = new JsonSerde<never>()
const plainMsgpack = new MsgpackSerde<never>()

function jsonSerde<T = unknown>(): Serde<T>
function jsonSerde<const F extends JsonFields>(projection: { readonly fields: F }): Serde<FieldsOf<F>>
function jsonSerde<T>(schema: StandardSchema<T>): Serde<T>
function jsonSerde<T>(given?: StandardSchema<T> | { readonly fields: JsonFields }): Serde<unknown> {
  if (given === undefined) return plainJson as unknown as Serde<unknown>
  return 'fields' in given ? new JsonFieldsSerde(given.fields) : new JsonSerde(given)
}

/**
 * The serdes that dhaara brings. On topics they have the bytes of Java's serializers of the same types.
 *
 * They throw DhaaraError: DHAARA_SERIALIZE for a value of another type, DHAARA_DESERIALIZE for bytes that are not theirs,
 * DHAARA_SCHEMA for a value that its schema refuses.
 *
 * @example
 * builder.stream('orders', { key: serdes.string(), value: serdes.json<Order>() })
 * builder.stream('checked', { value: serdes.json(z.object({ total: z.number() })) })
 */
export const serdes = {
  /** UTF-8. */
  string: (): OrderedSerde<string> => string,
  /** A big-endian double of 8 bytes; for Java's Integer and Long see `bigint` and `from`. */
  number: (): OrderedSerde<number> => number,
  /** Kafka's 8-byte long; as bigint. Java's bytes, which are not in order. */
  bigint: (): Serde<bigint> => bigint,
  /** One byte, 0 or 1. */
  boolean: (): OrderedSerde<boolean> => boolean,
  /** Milliseconds as an 8-byte long. */
  date: (): OrderedSerde<Date> => date,
  /** Several keys as one, in order of the first, then the second, ...; dhaara's own layout. */
  tuple<S extends readonly OrderedSerde<any>[]>(
    ...parts: S
  ): OrderedSerde<{ -readonly [I in keyof S]: S[I] extends Serde<infer T> ? T : never }> {
    for (const part of parts) if (part?.ordered !== true) throw notSerde('tuple', 'ordered serdes only')
    return new TupleSerde(parts) as never
  },
  /**
   * JSON. With a Standard Schema, what is read is validated and becomes what the schema makes of it. With `fields`, these fields
   * alone are read, several times faster than all: `serdes.json({ fields: { city: 'string', total: 'number', note: 'string?' } })`;
   * of objects inside, too: `{ from: { city: 'string' }, to: [{ city: 'string' }, '?'] }`.
   */
  json: jsonSerde,
  /** MessagePack: smaller and faster than JSON, and keeps Date, Map, Set, bigint, undefined and typed arrays. */
  msgpack: <T = unknown>(schema?: StandardSchema<T>): Serde<T> =>
    schema === undefined ? (plainMsgpack as unknown as Serde<T>) : new MsgpackSerde(schema),
  /** Bytes as they are. */
  bytes: (): Serde<Uint8Array> => bytes,
  /** Keys of windowed tables: the key, the end and the start of the window, as Kafka's SessionWindowedSerde. */
  windowed<K>(key: Serde<K>): Serde<Windowed<K>> {
    if (typeof key?.serialize !== 'function') throw notSerde('windowed', 'the serde of the key')
    return new WindowedSerde(key)
  },
  /** One of your own. `version` is written beside the state; raise it when the values change, and give it `migrate`. */
  from<T>(codec: {
    serialize(value: T, topic: string): Uint8Array
    deserialize(bytes: Uint8Array, topic: string): T
    version?: number
    migrate?(old: unknown, fromVersion: number): T
  }): Serde<T> {
    if (typeof codec?.serialize !== 'function' || typeof codec.deserialize !== 'function') {
      throw notSerde('from', '{serialize, deserialize}')
    }
    return Object.freeze({
      ordered: false,
      ...(codec.version === undefined ? {} : { version: needVersion(codec.version) }),
      ...(codec.migrate === undefined
        ? {}
        : { migrate: (old: unknown, from: number) => (codec.migrate as (old: unknown, from: number) => T)(old, from) }),
      serialize: (value: T, topic: string) => codec.serialize(value, topic),
      deserialize: (bytes: Uint8Array, topic: string) => codec.deserialize(bytes, topic),
    })
  },
}

function needVersion(version: number): number {
  if (Number.isInteger(version) && version >= 0 && version <= 65535) return version
  throw new DhaaraError('DHAARA_OPTION', `serdes.from version: found ${version}, expected an integer of 0 to 65535`)
}

const notSerde = (of: string, wanted: string): DhaaraError =>
  new DhaaraError('DHAARA_OPTION', `serdes.${of} was given something else; give it ${wanted}`)
