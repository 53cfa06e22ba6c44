import type { Outcome } from './run.ts'

/** A row that lies in a larger buffer. */
export type RowIn = (bytes: Buffer, start: number, end: number) => void

/**
 * Takes a subject's output rows. Bytes are only gathered while the clock runs, as for a producer's buffer; they are
 * hashed in `drain`, between two chunks. The checksum does not depend on the order of rows: each row's two 32-bit hashes
 * (FNV-1a with two primes) are added up.
 */
export class RowSink {
  #bytes = Buffer.allocUnsafe(1 << 22)
  #ends = new Uint32Array(1 << 16)
  #at = 0
  #held = 0
  #rows = 0
  #first = 0
  #second = 0
  #sum = 0
  #counted = false
  #later: ((row: RowIn) => void)[] = []

  /** A row as JSON text. */
  text(row: string): void {
    // A UTF-16 unit has at most 3 bytes.
    if (this.#at + row.length * 3 > this.#bytes.length) this.#growBytes(row.length * 3)
    this.#at += this.#bytes.utf8Write(row, this.#at)
    this.#end()
  }

  /** A row as bytes; they are copied. */
  bytes(row: Uint8Array): void {
    if (this.#at + row.length > this.#bytes.length) this.#growBytes(row.length)
    this.#bytes.set(row, this.#at)
    this.#at += row.length
    this.#end()
  }

  /** Rows that are only counted, and the sum of their (integer) values. */
  add(rows: number, sum: number): void {
    if (rows === 0) return
    this.#rows += rows
    this.#sum += sum
    this.#counted = true
  }

  /** Rows that lie in some buffer of the subject's: they are asked for in `drain`. */
  later(rows: (row: RowIn) => void): void {
    this.#later.push(rows)
  }

  /** Hashes what was gathered and forgets it. Not to be timed. */
  drain(): void {
    const later = this.#later
    this.#later = []
    for (const rows of later) {
      rows(this.#copy)
      this.#hash()
    }
    this.#hash()
  }

  readonly #copy: RowIn = (bytes, start, end) => {
    if (this.#at + end - start > this.#bytes.length) this.#growBytes(end - start)
    this.#at += bytes.copy(this.#bytes, this.#at, start, end)
    this.#end()
  }

  #hash(): void {
    let at = 0
    for (let row = 0; row < this.#held; row++) {
      let first = 0x811c9dc5
      let second = 0x1000193
      for (const end = this.#ends[row]!; at < end; at++) {
        const byte = this.#bytes[at]!
        first = Math.imul(first ^ byte, 0x01000193)
        second = Math.imul(second ^ byte, 0x5bd1e995)
      }
      this.#first = (this.#first + (first ^ (first >>> 15))) >>> 0
      this.#second = (this.#second + (second ^ (second >>> 13))) >>> 0
    }
    this.#rows += this.#held
    this.#held = 0
    this.#at = 0
  }

  /** Rows of what was drained and counted so far. */
  get rows(): number {
    return this.#rows
  }

  /** Of all rows so far. */
  outcome(): Outcome {
    this.drain()
    const hex = (n: number): string => n.toString(16).padStart(8, '0')
    return { rows: this.#rows, checksum: this.#counted ? String(this.#sum) : hex(this.#first) + hex(this.#second) }
  }

  #end(): void {
    if (this.#held === this.#ends.length) {
      const ends = new Uint32Array(this.#ends.length * 2)
      ends.set(this.#ends)
      this.#ends = ends
    }
    this.#ends[this.#held++] = this.#at
  }

  #growBytes(needed: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + needed))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}
