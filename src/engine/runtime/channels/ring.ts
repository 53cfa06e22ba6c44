/**
 * A ring of bytes in shared memory: one thread writes, one reads, neither waits for the other.
 *
 *     bytes     | head | tail | (pad)  |  data: a power of two of bytes ...                       |
 *     a frame   | length: i32 | more: i32 | payload, padded to 8 |
 *
 * `head` and `tail` count all bytes ever written and read, modulo 2^32. A frame never wraps: where it would, a length of
 * -1 says that the rest of the data is skipped. So a frame of up to half the ring always finds room in the end.
 */
const controlBytes = 64
const headAt = 0
const tailAt = 8
const frameHead = 8
const skipped = -1

/** Shared memory for a ring. @param bytes of data; rounded up to a power of two, at least 1 KiB */
export function ringMemory(bytes: number): SharedArrayBuffer {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1024, bytes)))
  return new SharedArrayBuffer(controlBytes + size)
}

abstract class RingEnd {
  protected readonly control: Int32Array
  protected readonly words: Int32Array
  protected readonly size: number
  /** The data, for the payloads. */
  readonly data: Buffer

  constructor(memory: SharedArrayBuffer) {
    this.size = memory.byteLength - controlBytes
    this.control = new Int32Array(memory, 0, controlBytes / 4)
    this.words = new Int32Array(memory, controlBytes)
    this.data = Buffer.from(memory, controlBytes) as unknown as Buffer
  }
}

/** The writing end; belongs to one thread. */
export class RingWriter extends RingEnd {
  /** Longest payload that always finds room in the end. */
  readonly longest: number
  private head: number
  /** As last seen: the reader may be further. */
  private tail: number
  private pending = 0

  constructor(memory: SharedArrayBuffer) {
    super(memory)
    this.longest = this.size / 2 - frameHead
    this.head = Atomics.load(this.control, headAt)
    this.tail = Atomics.load(this.control, tailAt)
  }

  /**
   * Room for a payload in `data`, to be filled before `publish`. `more`: the message goes on in the next frame.
   * @returns where it begins, a multiple of 8; -1: there is no room now
   */
  reserve(length: number, more = false): number {
    const need = padded(length) + frameHead
    const at = this.head & (this.size - 1)
    const rest = this.size - at
    const skip = need > rest ? rest : 0
    if (skip + need > this.room() && skip + need > this.room(true)) return -1
    if (skip > 0) this.words[at >> 2] = skipped
    const begin = skip > 0 ? 0 : at
    this.words[begin >> 2] = length
    this.words[(begin >> 2) + 1] = more ? 1 : 0
    this.pending = skip + need
    return begin + frameHead
  }

  /** The reserved frame may be read. */
  publish(): void {
    this.head = (this.head + this.pending) | 0
    Atomics.store(this.control, headAt, this.head)
  }

  private room(again = false): number {
    if (again) this.tail = Atomics.load(this.control, tailAt)
    return this.size - ((this.head - this.tail) | 0)
  }
}

/** The reading end; belongs to one thread. */
export class RingReader extends RingEnd {
  /** Of the frame at hand, after `next` gave true. */
  start = 0
  length = 0
  more = false
  private tail: number
  private head: number
  private taken = 0

  constructor(memory: SharedArrayBuffer) {
    super(memory)
    this.head = Atomics.load(this.control, headAt)
    this.tail = Atomics.load(this.control, tailAt)
  }

  /** Is a frame at hand? It stays in `data` until `release`. */
  next(): boolean {
    if (this.head === this.tail) {
      this.head = Atomics.load(this.control, headAt)
      if (this.head === this.tail) return false
    }
    let at = this.tail & (this.size - 1)
    let skip = 0
    if (this.words[at >> 2] === skipped) {
      skip = this.size - at
      at = 0
    }
    this.length = this.words[at >> 2] as number
    this.more = this.words[(at >> 2) + 1] === 1
    this.start = at + frameHead
    this.taken = skip + padded(this.length) + frameHead
    return true
  }

  /** Gives the room of the frame at hand back. */
  release(): void {
    this.tail = (this.tail + this.taken) | 0
    Atomics.store(this.control, tailAt, this.tail)
  }
}

const padded = (length: number): number => (length + 7) & ~7
