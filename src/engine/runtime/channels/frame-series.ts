import type { RawHeaders } from '../record.ts'
import type { ChannelCodec } from './channel-codec.ts'
import { FrameWriter } from './frame-writer.ts'

/** Records of one channel as frames, as many as they need. */
export class FrameSeries {
  private readonly writer: FrameWriter
  readonly frames: Buffer[]

  /** @param frames where they go */
  constructor(codec: ChannelCodec, frames: Buffer[] = []) {
    this.writer = new FrameWriter(codec)
    this.frames = frames
  }

  add(
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
      this.end()
      writer.add(key, value, old, ts, w, headers, place, offset)
    }
    if (writer.full) this.end()
  }

  /** What was added is in frames. */
  end(): Buffer[] {
    if (this.writer.count > 0) this.frames.push(this.writer.take())
    return this.frames
  }
}
