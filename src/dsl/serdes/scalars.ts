import { isUtf8 } from 'node:buffer'
import type { KeyWriter } from '../../state/codec/index.ts'
import { BuiltInSerde, KeySerde } from './fast.ts'
import { undecodable, unencodable } from './refuse.ts'

/** The text in [start, end). @throws DhaaraError DHAARA_DESERIALIZE for bytes that are not UTF-8 */
export function readUtf8(buf: Buffer, start: number, end: number, topic: string, expected: string): string {
  const text = buf.utf8Slice(start, end)
  if (text.includes('\ufffd') && !isUtf8(buf.subarray(start, end))) throw undecodable(topic, buf, start, end, expected)
  return text
}

/** UTF-8, as Java's StringSerializer. */
export class StringSerde extends KeySerde<string> {
  serialize(value: string, topic: string): Uint8Array {
    if (typeof value !== 'string') throw unencodable(topic, value, 'a string')
    return Buffer.from(value)
  }

  text(value: string): string {
    if (typeof value !== 'string') throw unencodable('A string serde', value, 'a string')
    return value
  }

  read(buf: Buffer, start: number, end: number, topic: string): string {
    return readUtf8(buf, start, end, topic, 'UTF-8')
  }

  writePart(writer: KeyWriter, value: string, topic: string): void {
    if (typeof value !== 'string') throw unencodable(topic, value, 'a string')
    writer.key(value)
  }

  fromPart(part: unknown): string | undefined {
    return typeof part === 'string' ? part : undefined
  }
}

/** 8 bytes, a big-endian double, as Java's DoubleSerializer. */
export class NumberSerde extends KeySerde<number> {
  serialize(value: number, topic: string): Uint8Array {
    if (typeof value !== 'number') throw unencodable(topic, value, 'a number')
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeDoubleBE(value)
    return bytes
  }

  read(buf: Buffer, start: number, end: number, topic: string): number {
    if (end - start !== 8) throw undecodable(topic, buf, start, end, '8 bytes, a big-endian double')
    return buf.readDoubleBE(start)
  }

  writePart(writer: KeyWriter, value: number, topic: string): void {
    if (typeof value !== 'number') throw unencodable(topic, value, 'a number')
    writer.key(value)
  }

  fromPart(part: unknown): number | undefined {
    return typeof part === 'number' ? part : undefined
  }
}

/** 8 bytes, a big-endian signed integer, as Java's LongSerializer. Negative ones order after positive ones. */
export class BigintSerde extends BuiltInSerde<bigint> {
  readonly ordered = false

  serialize(value: bigint, topic: string): Uint8Array {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) {
      throw unencodable(topic, value, 'a bigint from -2^63 to 2^63 - 1')
    }
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigInt64BE(value)
    return bytes
  }

  read(buf: Buffer, start: number, end: number, topic: string): bigint {
    if (end - start !== 8) throw undecodable(topic, buf, start, end, '8 bytes, a big-endian long')
    return buf.readBigInt64BE(start)
  }
}

/** One byte, 0 or 1, as Java's BooleanSerializer. */
export class BooleanSerde extends KeySerde<boolean> {
  serialize(value: boolean, topic: string): Uint8Array {
    if (typeof value !== 'boolean') throw unencodable(topic, value, 'a boolean')
    return Buffer.of(value ? 1 : 0)
  }

  read(buf: Buffer, start: number, end: number, topic: string): boolean {
    const byte = buf[start]
    if (end - start !== 1 || (byte !== 0 && byte !== 1)) throw undecodable(topic, buf, start, end, 'one byte, 00 or 01')
    return byte === 1
  }

  writePart(writer: KeyWriter, value: boolean, topic: string): void {
    if (typeof value !== 'boolean') throw unencodable(topic, value, 'a boolean')
    writer.key(value)
  }

  fromPart(part: unknown): boolean | undefined {
    return typeof part === 'boolean' ? part : undefined
  }
}

/** 8 bytes, milliseconds since 1970 as a big-endian signed integer: a Java long. */
export class DateSerde extends KeySerde<Date> {
  serialize(value: Date, topic: string): Uint8Array {
    if (!isValid(value)) throw unencodable(topic, value, 'a valid Date')
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigInt64BE(BigInt(value.getTime()))
    return bytes
  }

  read(buf: Buffer, start: number, end: number, topic: string): Date {
    const expected = '8 bytes, a big-endian long of milliseconds within 8.64e15 of 1970'
    if (end - start !== 8) throw undecodable(topic, buf, start, end, expected)
    const date = new Date(Number(buf.readBigInt64BE(start)))
    if (!isValid(date)) throw undecodable(topic, buf, start, end, expected)
    return date
  }

  writePart(writer: KeyWriter, value: Date, topic: string): void {
    if (!isValid(value)) throw unencodable(topic, value, 'a valid Date')
    writer.key(value)
  }

  fromPart(part: unknown): Date | undefined {
    return isValid(part) ? part : undefined
  }
}

/** Bytes as they are. */
export class BytesSerde extends BuiltInSerde<Uint8Array> {
  readonly ordered = false

  serialize(value: Uint8Array, topic: string): Uint8Array {
    if (!(value instanceof Uint8Array)) throw unencodable(topic, value, 'a Uint8Array')
    return value
  }

  override deserialize(bytes: Uint8Array): Uint8Array {
    return bytes
  }

  // Copied: a view would keep the whole of the larger buffer in memory.
  read(buf: Buffer, start: number, end: number): Uint8Array {
    return new Uint8Array(buf.subarray(start, end))
  }
}

const isValid = (value: unknown): value is Date => value instanceof Date && !Number.isNaN(value.getTime())
