import type * as Avsc from 'avsc'
import { DhaaraError } from '../../errors/index.ts'
import { requirePeer } from '../options/index.ts'
import type { Decode, Encode, Format } from './format.ts'
import type { RawSchema, ResolvedSchema, SchemaReference } from './requests.ts'

export interface AvroFormat {
  /**
   * What is written, and what is read as: records that were written with an older or newer schema become what this one says
   * (Avro's schema resolution). Absent: each record is read as it was written, and `schemas: 'latest'` says what is written.
   */
  readonly schema?: object | string
  /** Types of other subjects that the schema names. */
  readonly references?: readonly SchemaReference[]
  /** What an Avro `long` is here. A number beyond 2^53 is refused; default 'number'. */
  readonly longs?: 'number' | 'bigint'
  /** Of avsc: classes by the name of a logical type. Without one, a logical type is what it is made of. */
  readonly logicalTypes?: Readonly<Record<string, unknown>>
}

/** Space that a value is written to first; it grows with the largest. */
const firstSpace = 1024

/** Avro in binary, by `avsc`. */
export function avroFormat({ schema, references = [], longs, logicalTypes }: AvroFormat): Format {
  const avsc = requirePeer<typeof Avsc>('avsc', 'schemaRegistry().avro')
  const own: RawSchema | undefined =
    schema === undefined
      ? undefined
      : { schema: typeof schema === 'string' ? schema : JSON.stringify(schema), type: 'AVRO', references }
  const typeOf = ({ schema: text, resolved }: ResolvedSchema): Avsc.Type => {
    const registry = longs === 'bigint' ? { long: bigLong(avsc) } : {}
    const options = { registry, omitRecordMethods: true, logicalTypes: (logicalTypes ?? {}) as never }
    for (const one of resolved) avsc.Type.forSchema(JSON.parse(one.schema), options)
    return avsc.Type.forSchema(JSON.parse(text), options)
  }
  return {
    type: 'AVRO',
    own,
    nameOf: (given) => typeOf(given).name ?? 'record',
    decoder(writer, reader) {
      const written = typeOf(writer)
      if (reader === undefined) return decode(written)
      const read = typeOf(reader)
      return decode(read, read.createResolver(written))
    },
    encoder: (given) => encode(typeOf(given)),
  }
}

function decode(type: Avsc.Type, resolver?: unknown): Decode {
  return (bytes, start, end) => {
    // a view that ends where the record does: what is cut off must not be read on in the next
    const { value, offset } = type.decode(bytes.subarray(0, end), start, resolver as never)
    if (offset === end) return value
    const found = offset < 0 ? 'it ends too early' : `${end - offset} bytes are left over`
    throw new DhaaraError('DHAARA_DESERIALIZE', `the bytes are no value of the Avro schema: ${found}`)
  }
}

function encode(type: Avsc.Type): Encode {
  let space = Buffer.allocUnsafeSlow(firstSpace)
  return {
    encode(value, header) {
      for (;;) {
        // negative: so many bytes are missing
        const end = type.encode(value, space, header.length)
        if (end >= 0) {
          header.copy(space)
          return Buffer.from(space.subarray(0, end))
        }
        space = Buffer.allocUnsafeSlow(2 * (space.length - end))
      }
    },
  }
}

/** 8 bytes that avsc has unpacked, as a bigint and back. */
const bigLong = (avsc: typeof Avsc): Avsc.Type =>
  avsc.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer(value: bigint) {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64LE(BigInt(value))
      return bytes
    },
    fromJSON: BigInt,
    toJSON: Number,
    isValid: (value: unknown) => typeof value === 'bigint',
    compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
  })
