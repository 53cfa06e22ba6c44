/** Writes the rows of a matcher's state: whole numbers as 7 bits a byte, times as 8 bytes, into a buffer that grows. */
export class RowWriter {
  private buf = Buffer.allocUnsafeSlow(1024)
  private pos = 0

  reset(): this {
    this.pos = 0
    return this
  }

  /** A whole number from 0 to 2^53 - 1. */
  int(value: number): this {
    this.room(8)
    let rest = value
    while (rest >= 0x80000000) {
      this.buf[this.pos++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      this.buf[this.pos++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buf[this.pos++] = rest
    return this
  }

  double(value: number): this {
    this.room(8)
    this.pos = this.buf.writeDoubleBE(value, this.pos)
    return this
  }

  bytes(value: Uint8Array): this {
    this.int(value.length).room(value.length)
    this.buf.set(value, this.pos)
    this.pos += value.length
    return this
  }

  /** What was written, until more is. */
  view(): Buffer {
    return this.buf.subarray(0, this.pos)
  }

  /** What was written, copied. */
  copy(): Buffer {
    const out = Buffer.allocUnsafe(this.pos)
    this.buf.copy(out, 0, 0, this.pos)
    return out
  }

  private room(bytes: number): void {
    if (this.pos + bytes <= this.buf.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buf.length * 2, this.pos + bytes))
    this.buf.copy(grown, 0, 0, this.pos)
    this.buf = grown
  }
}

/** Reads what `RowWriter` wrote. */
export class RowReader {
  private readonly buf: Uint8Array
  private readonly view: DataView
  private pos = 0

  constructor(bytes: Uint8Array) {
    this.buf = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get done(): boolean {
    return this.pos >= this.buf.length
  }

  int(): number {
    let byte = this.buf[this.pos++] as number
    let value = byte & 0x7f
    for (let unit = 128; byte >= 0x80; unit *= 128) {
      byte = this.buf[this.pos++] as number
      value += (byte & 0x7f) * unit
    }
    return value
  }

  double(): number {
    this.pos += 8
    return this.view.getFloat64(this.pos - 8)
  }

  /** A view of the row's bytes. */
  bytes(): Uint8Array {
    const length = this.int()
    this.pos += length
    return this.buf.subarray(this.pos - length, this.pos)
  }
}
