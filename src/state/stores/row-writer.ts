/** Copying fewer bytes than this one by one costs less than the call that copies many. */
const few = 32
const mostViews = 256

/** Puts rows together in a buffer that grows and is used again. */
export class RowWriter {
  private buf = Buffer.allocUnsafeSlow(4096)
  private data = new DataView(this.buf.buffer)
  private views: (Buffer | undefined)[] = []
  private at = 0

  reset(): this {
    this.at = 0
    return this
  }

  double(value: number): this {
    this.room(8)
    this.data.setFloat64(this.at, value)
    this.at += 8
    return this
  }

  uint32(value: number): this {
    this.room(4)
    this.data.setUint32(this.at, value)
    this.at += 4
    return this
  }

  byte(value: number): this {
    this.room(1)
    this.buf[this.at++] = value
    return this
  }

  raw(bytes: Uint8Array): this {
    const { length } = bytes
    this.room(length)
    const { buf, at } = this
    if (length < few) for (let i = 0; i < length; i++) buf[at + i] = bytes[i] as number
    else buf.set(bytes, at)
    this.at = at + length
    return this
  }

  /** Bytes [start, end) of others. */
  slice(data: Buffer, start: number, end: number): this {
    const length = end - start
    this.room(length)
    const { buf, at } = this
    if (length < few) for (let i = 0; i < length; i++) buf[at + i] = data[start + i] as number
    else data.copy(buf, at, start, end)
    this.at = at + length
    return this
  }

  /** Bytes that were written. */
  get size(): number {
    return this.at
  }

  /** What was written, valid until the next `reset`. */
  view(): Buffer {
    const { at } = this
    if (at > mostViews) return this.buf.subarray(0, at)
    return (this.views[at] ??= this.buf.subarray(0, at))
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.buf.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.buf.length, this.at + bytes))
    this.buf.copy(larger, 0, 0, this.at)
    this.buf = larger
    this.data = new DataView(larger.buffer)
    this.views = []
  }
}
