/**
 * Requests and responses as data: a message is a struct of typed fields, and its TypeScript type follows from that. All are of
 * the protocol's flexible kind: lengths are unsigned varints of length + 1, and each struct ends with tagged fields: those that
 * are not known are skipped.
 *
 *     const heartbeat = struct({ group: string, generation: int32 })
 *     type Heartbeat = TypeOf<typeof heartbeat>   // { readonly group: string; readonly generation: number }
 *
 * @see Apache Kafka's protocol guide; KIP-482, tagged fields
 */
import type { Reader } from './reader.ts'
import { Writer } from './writer.ts'

export interface Field<T> {
  write(to: Writer, value: T, version: number): void
  read(from: Reader, version: number): T
}

export type TypeOf<F> = F extends Field<infer T> ? T : never

export const int8: Field<number> = { write: (to, value) => to.i8(value), read: (from) => from.i8() }
export const int16: Field<number> = { write: (to, value) => to.i16(value), read: (from) => from.i16() }
export const int32: Field<number> = { write: (to, value) => to.i32(value), read: (from) => from.i32() }
/** Numbers beyond 2^53 lose digits; offsets, times and producer ids stay below. */
export const int64: Field<number> = { write: (to, value) => to.i64(value), read: (from) => from.i64() }
export const bool: Field<boolean> = { write: (to, value) => to.i8(value ? 1 : 0), read: (from) => from.i8() !== 0 }

export const uuid: Field<string> = {
  write: (to, value) => to.raw(Buffer.from(value, 'hex')),
  read: (from) => from.raw(16).toString('hex'),
}

/** Of a topic of a cluster that gives none. */
export const noTopicId = '0'.repeat(32)

export const nullableString: Field<string | null> = {
  write(to, value) {
    if (value === null) to.uvarint(0)
    else {
      const bytes = Buffer.byteLength(value)
      to.uvarint(bytes + 1)
      to.text(value, bytes)
    }
  },
  read(from) {
    const length = from.uvarint() - 1
    return length < 0 ? null : from.text(length)
  },
}
export const string: Field<string> = {
  write: (to, value) => nullableString.write(to, value, 0),
  read: (from) => nullableString.read(from, 0) ?? '',
}

export const nullableBytes: Field<Buffer | null> = {
  write(to, value) {
    if (value === null) to.uvarint(0)
    else {
      to.uvarint(value.length + 1)
      to.raw(value)
    }
  },
  read(from) {
    const length = from.uvarint() - 1
    return length < 0 ? null : from.raw(length)
  },
}
export const bytes: Field<Buffer> = {
  write: (to, value) => nullableBytes.write(to, value, 0),
  read: (from) => nullableBytes.read(from, 0) ?? Buffer.alloc(0),
}

/** @returns null is read as an empty array */
export function array<T>(item: Field<T>): Field<readonly T[]> {
  const nullable = nullableArray(item)
  return { write: nullable.write, read: (from, version) => nullable.read(from, version) ?? [] }
}

export function nullableArray<T>(item: Field<T>): Field<readonly T[] | null> {
  return {
    write(to, values, version) {
      to.uvarint(values === null ? 0 : values.length + 1)
      if (values !== null) for (const value of values) item.write(to, value, version)
    },
    read(from, version) {
      const length = from.uvarint() - 1
      if (length < 0) return null
      const values: T[] = []
      for (let i = 0; i < length; i++) values.push(item.read(from, version))
      return values
    },
  }
}

/** A field that versions from `version` on have; in older ones it reads as `otherwise`, and is not written. */
export function since<T>(version: number, field: Field<T>, otherwise: T): Field<T> {
  return {
    write: (to, value, at) => (at >= version ? field.write(to, value, at) : undefined),
    read: (from, at) => (at >= version ? field.read(from, at) : otherwise),
  }
}

export function until<T>(version: number, field: Field<T>, otherwise: T): Field<T> {
  return {
    write: (to, value, at) => (at < version ? field.write(to, value, at) : undefined),
    read: (from, at) => (at < version ? field.read(from, at) : otherwise),
  }
}

class Tagged<T> implements Field<T> {
  readonly tag: number
  readonly otherwise: T
  readonly #field: Field<T>

  constructor(tag: number, field: Field<T>, otherwise: T) {
    this.tag = tag
    this.#field = field
    this.otherwise = otherwise
  }

  write(to: Writer, value: T, version: number): void {
    const own = new Writer()
    this.#field.write(own, value, version)
    const content = own.bytes()
    to.uvarint(this.tag)
    to.uvarint(content.length)
    to.raw(content)
  }

  /** What newer brokers have put behind it is left out. */
  read(from: Reader, version: number): T {
    return this.#field.read(from, version)
  }
}

/** A field at the end of its struct, in order of the tags, that may be missing: then it reads as `otherwise`. */
export const tagged = <T>(tag: number, field: Field<T>, otherwise: T): Field<T> => new Tagged(tag, field, otherwise)

type Fields = Readonly<Record<string, Field<never>>>
export type StructOf<F> = { readonly [K in keyof F]: TypeOf<F[K]> }

export function struct<F extends Readonly<Record<string, Field<any>>>>(fields: F): Field<StructOf<F>> {
  const all = Object.entries(fields as unknown as Fields)
  const entries = all.filter(([, field]) => !(field instanceof Tagged))
  const byTag = new Map<number, readonly [string, Tagged<unknown>]>()
  for (const [name, field] of all) if (field instanceof Tagged) byTag.set(field.tag, [name, field])
  return {
    write(to, value, version) {
      for (const [name, field] of entries) field.write(to, value[name] as never, version)
      to.uvarint(byTag.size)
      for (const [name, field] of byTag.values()) field.write(to, value[name], version)
    },
    read(from, version) {
      const value: Record<string, unknown> = {}
      for (const [name, field] of entries) value[name] = field.read(from, version)
      for (const [name, { otherwise }] of byTag.values()) value[name] = otherwise
      for (let tags = from.uvarint(); tags > 0; tags--) {
        const known = byTag.get(from.uvarint())
        const end = from.uvarint() + from.at
        if (known !== undefined) value[known[0]] = known[1].read(from, version)
        from.raw(end - from.at)
      }
      return value as StructOf<F>
    },
  }
}

/** One request of the protocol, in the versions that are spoken here. */
export interface Api<Req, Res> {
  readonly key: number
  readonly name: string
  readonly min: number
  readonly max: number
  readonly request: Field<Req>
  readonly response: Field<Res>
}

export function api<Req, Res>(
  key: number,
  name: string,
  [min, max]: readonly [number, number],
  request: Field<Req>,
  response: Field<Res>,
): Api<Req, Res> {
  return { key, name, min, max, request, response }
}

/** In no version that is newer, whatever the broker speaks. */
export const atMost = <Req, Res>(max: number, api: Api<Req, Res>): Api<Req, Res> => ({ ...api, max })

/** @param to in whose memory it is to lie; default: new */
export function encodeRequest<Req>(
  api: Api<Req, unknown>,
  request: Req,
  version: number,
  to: Writer = new Writer(),
): Buffer {
  api.request.write(to, request, version)
  return to.bytes()
}
