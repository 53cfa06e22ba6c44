import { asBuffer } from '../../../state/codec/index.ts'
import { RingReader, RingWriter } from './ring.ts'

/** Something that knows its size and can be written in place. */
export interface Message {
  readonly size: number
  /** Writes `size` bytes at `at`, a multiple of 8. */
  fill(buf: Buffer, at: number): void
}

/**
 * Messages of any size over a ring, in order. Sending never waits: what finds no room is kept here until `flush`, and
 * what is longer than a frame can be goes in pieces.
 */
export class Sender {
  private readonly ring: RingWriter
  /** Messages that wait; of the first, `sent` bytes are gone. */
  private outbox: Buffer[] = []
  private sent = 0
  /** Bytes that wait. */
  waiting = 0

  constructor(memory: SharedArrayBuffer) {
    this.ring = new RingWriter(memory)
  }

  send(message: Message): void {
    const { ring } = this
    const { size } = message
    if (this.outbox.length === 0 && size <= ring.longest) {
      const at = ring.reserve(size)
      if (at >= 0) {
        message.fill(ring.data, at)
        ring.publish()
        return
      }
    }
    const copy = Buffer.allocUnsafeSlow(size)
    message.fill(copy, 0)
    this.outbox.push(copy)
    this.waiting += size
    this.flush()
  }

  /** Moves on what waits. Returns whether anything moved. */
  flush(): boolean {
    let moved = false
    let done = 0
    for (; done < this.outbox.length; done++) {
      const message = this.outbox[done] as Buffer
      // an empty message is one piece too
      do {
        const piece = Math.min(this.ring.longest, message.length - this.sent)
        const at = this.ring.reserve(piece, this.sent + piece < message.length)
        if (at < 0) {
          this.outbox.splice(0, done)
          return moved
        }
        message.copy(this.ring.data, at, this.sent, this.sent + piece)
        this.ring.publish()
        this.sent += piece
        this.waiting -= piece
        moved = true
      } while (this.sent < message.length)
      this.sent = 0
    }
    this.outbox.length = 0
    return moved
  }
}

/** The other end of a `Sender`. */
export class Receiver {
  private readonly ring: RingReader
  private pieces: Buffer[] = []

  constructor(memory: SharedArrayBuffer) {
    this.ring = new RingReader(memory)
  }

  /** The next whole message, in a buffer of its own that begins at a multiple of 8; undefined: none is at hand. */
  receive(): Buffer | undefined {
    const { ring } = this
    while (ring.next()) {
      const piece = Buffer.allocUnsafeSlow(ring.length)
      ring.data.copy(piece, 0, ring.start, ring.start + ring.length)
      const last = !ring.more
      ring.release()
      if (last && this.pieces.length === 0) return piece
      this.pieces.push(piece)
      if (!last) continue
      const whole = Buffer.concat(this.pieces)
      this.pieces = []
      return aligned(whole)
    }
    return undefined
  }
}

/** The same bytes, at a place where they can be read as doubles. */
export function aligned(bytes: Uint8Array): Buffer {
  if (bytes.byteOffset % 8 === 0) return asBuffer(bytes)
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  copy.set(bytes)
  return copy
}
