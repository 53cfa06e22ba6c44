/** Bytes of a request, in a buffer that grows. Numbers are big endian. */
export class Writer {
  private buf: Buffer
  private at = 0

  constructor(bytes = 256) {
    this.buf = Buffer.allocUnsafe(bytes)
  }

  /** Begins anew, in the same memory. */
  reset(): this {
    this.at = 0
    return this
  }

  i8(value: number): void {
    this.room(1)
    this.at = this.buf.writeInt8(value, this.at)
  }

  i16(value: number): void {
    this.room(2)
    this.at = this.buf.writeInt16BE(value, this.at)
  }

  i32(value: number): void {
    this.room(4)
    this.at = this.buf.writeInt32BE(value, this.at)
  }

  u32(value: number): void {
    this.room(4)
    this.at = this.buf.writeUInt32BE(value, this.at)
  }

  /** Whole numbers up to 2^53. */
  i64(value: number): void {
    this.room(8)
    writeLong(this.buf, value, this.at)
    this.at += 8
  }

  /** Unsigned, 7 bits a byte. */
  uvarint(value: number): void {
    this.room(5)
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.buf[this.at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buf[this.at++] = rest
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length)
    this.buf.set(bytes, this.at)
    this.at += bytes.length
  }

  /** UTF-8 without a length. */
  text(text: string, bytes: number): void {
    this.room(bytes)
    this.at += this.buf.write(text, this.at)
  }

  /** What was written. Valid until the next write. */
  bytes(): Buffer {
    return this.buf.subarray(0, this.at)
  }

  private room(bytes: number): void {
    const need = this.at + bytes
    if (need <= this.buf.length) return
    const grown = Buffer.allocUnsafe(Math.max(need, this.buf.length * 2))
    this.buf.copy(grown, 0, 0, this.at)
    this.buf = grown
  }
}

const high = 2 ** 32

/** A 64-bit number of at most 53 bits. */
export function writeLong(buf: Buffer, value: number, at: number): void {
  const top = Math.floor(value / high)
  buf.writeInt32BE(top, at)
  buf.writeUInt32BE(value - top * high, at + 4)
}

export const readLong = (buf: Buffer, at: number): number => buf.readInt32BE(at) * high + buf.readUInt32BE(at + 4)
