const newline = 10
const carriageReturn = 13

/** Takes a line: buf[start, end), without its line break. */
export type TakeLine = (buf: Buffer, start: number, end: number) => void

/**
 * Cuts bytes into lines where they lie. Bytes are read into `space()`; what is left of a line moves to the front.
 *
 * @example
 * splitter.filled(readSync(fd, splitter.space()))
 * splitter.take((buf, start, end) => …)
 */
export class LineSplitter {
  #buf: Buffer
  #used = 0
  /** No line break is among the first so many bytes. */
  #searched = 0

  /** @param size bytes that are read at once */
  constructor(size: number) {
    this.#buf = Buffer.allocUnsafeSlow(size)
  }

  /** Room for what is read next; grows where one line fills it. */
  space(): Buffer {
    if (this.#used * 2 > this.#buf.length) {
      const larger = Buffer.allocUnsafeSlow(this.#buf.length * 2)
      this.#buf.copy(larger, 0, 0, this.#used)
      this.#buf = larger
    }
    return this.#buf.subarray(this.#used)
  }

  /** So many bytes were written to `space()`. */
  filled(bytes: number): void {
    this.#used += bytes
  }

  /** As `space` and `filled`, for bytes that are there. */
  push(bytes: Uint8Array): void {
    while (this.#buf.length - this.#used < bytes.length) {
      const larger = Buffer.allocUnsafeSlow(this.#buf.length * 2)
      this.#buf.copy(larger, 0, 0, this.#used)
      this.#buf = larger
    }
    this.#buf.set(bytes, this.#used)
    this.#used += bytes.length
  }

  /** Bytes of a line that has not ended. */
  get rest(): number {
    return this.#used
  }

  /**
   * Hands out the lines that are complete.
   *
   * @param consumed gets their bytes, line breaks included, before they move
   */
  take(line: TakeLine, consumed: (bytes: Buffer) => void): void {
    const buf = this.#buf
    const whole = buf.subarray(0, this.#used)
    let start = 0
    for (let at = whole.indexOf(newline, this.#searched); at >= 0; at = whole.indexOf(newline, start)) {
      line(buf, start, at > start && buf[at - 1] === carriageReturn ? at - 1 : at)
      start = at + 1
    }
    if (start > 0) consumed(whole.subarray(0, start))
    this.#used -= start
    buf.copyWithin(0, start, start + this.#used)
    this.#searched = this.#used
  }

  /** At the end: a last line without a line break, unless it is empty. */
  takeRest(line: TakeLine, consumed: (bytes: Buffer) => void): void {
    if (this.#used === 0) return
    line(this.#buf, 0, this.#buf[this.#used - 1] === carriageReturn ? this.#used - 1 : this.#used)
    consumed(this.#buf.subarray(0, this.#used))
    this.#used = 0
    this.#searched = 0
  }
}
