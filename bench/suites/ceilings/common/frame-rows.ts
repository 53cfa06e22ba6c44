import type { RowIn, RowSink } from '../../../harness/sink.ts'

/** Gathers output frames, and gives the values of their records to the sink when the clock stands still. */
export class FrameRows {
  readonly #sink: RowSink
  #bytes = Buffer.allocUnsafeSlow(1 << 24)
  #at = 0

  constructor(sink: RowSink) {
    this.#sink = sink
  }

  /** The frame is copied. */
  add(frame: Buffer): void {
    if (this.#at === 0) this.#sink.later((row) => this.#rows(row))
    if (this.#at + frame.length > this.#bytes.length) this.#grow(frame.length)
    this.#bytes.set(frame, this.#at)
    this.#at += frame.length
  }

  // layout: src/connectors/broker/frame.ts; no headers, no gaps
  #rows(row: RowIn): void {
    const bytes = this.#bytes
    for (let frame = 0; frame < this.#at; frame += bytes.readUInt32LE(frame + 20)) {
      const count = bytes.readUInt32LE(frame + 12)
      const ends = frame + 64 + 8 * count
      const data = frame + 64 + 16 * count
      for (let i = 0; i < count; i++) {
        const keyEnd = bytes.readInt32LE(ends + 8 * i)
        const valueEnd = bytes.readInt32LE(ends + 8 * i + 4)
        if (valueEnd >= 0) row(bytes, data + (keyEnd < 0 ? ~keyEnd : keyEnd), data + valueEnd)
      }
    }
    this.#at = 0
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + needed))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}
