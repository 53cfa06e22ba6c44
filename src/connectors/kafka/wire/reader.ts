import { DhaaraError } from '../../../errors/index.ts'
import { readLong } from './writer.ts'

/** Reads a response. Byte fields are views of it, not copies. */
export class Reader {
  readonly buf: Buffer
  at = 0

  constructor(buf: Buffer) {
    this.buf = buf
  }

  i8(): number {
    return this.buf.readInt8(this.skip(1))
  }

  i16(): number {
    return this.buf.readInt16BE(this.skip(2))
  }

  i32(): number {
    return this.buf.readInt32BE(this.skip(4))
  }

  u32(): number {
    return this.buf.readUInt32BE(this.skip(4))
  }

  i64(): number {
    return readLong(this.buf, this.skip(8))
  }

  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buf[this.skip(1)] as number
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw malformed(`a number of more than 5 bytes before byte ${this.at}`)
  }

  raw(bytes: number): Buffer {
    const from = this.skip(bytes)
    return this.buf.subarray(from, from + bytes)
  }

  text(bytes: number): string {
    const from = this.skip(bytes)
    return this.buf.toString('utf8', from, from + bytes)
  }

  private skip(bytes: number): number {
    const from = this.at
    if (bytes < 0 || from + bytes > this.buf.length)
      throw malformed(`${bytes} bytes were announced at ${from}, and the answer has ${this.buf.length}`)
    this.at = from + bytes
    return from
  }
}

const malformed = (what: string): DhaaraError =>
  new DhaaraError('DHAARA_KAFKA_PROTOCOL', `A broker's answer is malformed: found ${what}`)
