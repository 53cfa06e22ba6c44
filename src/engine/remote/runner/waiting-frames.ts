import type { ChannelFeed } from '../../runtime/inputs/feed.ts'

/** The bytes of frames that a feed was given, as long as not all records of them were processed. */
export class WaitingFrames {
  private readonly feed: ChannelFeed
  private readonly frames: { readonly upTo: number; readonly bytes: number }[] = []
  private first = 0
  private sum = 0

  constructor(feed: ChannelFeed) {
    this.feed = feed
  }

  /** Behind a frame whose records the feed has now. */
  add(bytes: number): void {
    this.frames.push({ upTo: this.feed.arrived, bytes })
    this.sum += bytes
  }

  get bytes(): number {
    const { feed, frames } = this
    const processed = feed.arrived - feed.backlog
    for (let one = frames[this.first]; one !== undefined && one.upTo <= processed; one = frames[this.first]) {
      this.sum -= one.bytes
      this.first++
    }
    if (this.first * 2 > frames.length) {
      frames.splice(0, this.first)
      this.first = 0
    }
    return this.sum
  }
}
