import type { ChannelCodec } from './channel-codec.ts'
import type { Link } from './channel.ts'
import { FrameWriter } from './frame-writer.ts'
import type { RawHeaders } from '../record.ts'
import type { Message } from './ring-link.ts'

/** What an outlet needs of its thread's transport. */
export interface OutletPeer {
  readonly generation: number
  /** Of the tasks of this thread. */
  readonly epoch: number
  readonly creditBytes: number
  send(message: Message): void
  /** Bytes that the consumer has applied, modulo 2^32. */
  granted(slot: number): number
}

/** The end of a channel whose consumer runs on another worker: records are encoded at once, so that nothing is shared. */
export class RemoteOutlet implements Link {
  w = Number.NEGATIVE_INFINITY
  idle = false
  echo = false
  ended = false
  private readonly slot: number
  private readonly writer: FrameWriter
  private readonly peer: OutletPeer
  private sent = 0
  private toldW = Number.NEGATIVE_INFINITY
  private toldIdle = false
  private toldEnded = false

  constructor(slot: number, codec: ChannelCodec, peer: OutletPeer) {
    this.slot = slot
    this.peer = peer
    this.writer = new FrameWriter(codec)
    this.writer.slot = slot
    this.writer.generation = peer.generation
  }

  push(
    key: unknown,
    value: unknown,
    old: unknown,
    ts: number,
    w: number,
    headers: RawHeaders | undefined,
    place: number,
    offset: number,
  ): void {
    const { writer } = this
    if (!writer.add(key, value, old, ts, w, headers, place, offset)) {
      this.send(w)
      writer.add(key, value, old, ts, w, headers, place, offset)
    }
    // the W behind these records is not settled yet; the one before the last of them holds
    if (writer.full) this.send(w)
  }

  /** May a slice begin that sends here? */
  get roomy(): boolean {
    return ((this.sent - this.peer.granted(this.slot)) | 0) < this.peer.creditBytes
  }

  /** There is something that `flush` would send. */
  get news(): boolean {
    const { writer, w, idle, ended } = this
    return writer.count > 0 || w !== this.toldW || idle !== this.toldIdle || ended !== this.toldEnded
  }

  /** W, idleness and end are said again: who consumes may be another one now, and has not heard them. */
  repeat(): void {
    this.toldW = Number.NaN
  }

  /** Sends what was pushed, and what changed of W, idleness, end. */
  flush(): void {
    if (this.news) {
      this.toldIdle = this.idle
      this.toldEnded = this.ended
      this.send(this.w)
    }
  }

  private send(w: number): void {
    const { writer, peer } = this
    this.toldW = w
    writer.w = w
    writer.idle = this.toldIdle
    writer.ended = this.toldEnded
    writer.epoch = peer.epoch
    const { size } = writer
    peer.send(writer)
    writer.clear()
    this.sent = (this.sent + size) | 0
  }
}
