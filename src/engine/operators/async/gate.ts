import type { Link } from '../../runtime/channels/channel.ts'

/**
 * The end of an asynchronous step's channel: what has not come back holds the watermark, idleness and the end behind it.
 */
export class AsyncGate implements Link {
  /** W that goes with the result that is being written. */
  w = Number.NEGATIVE_INFINITY
  ended = false
  idle = false
  echo = false
  private readonly channel: Link
  private readonly oldest: () => number | undefined
  private readonly room: () => boolean

  /**
   * @param oldest W before the oldest record that is in flight; undefined: none is
   * @param room may more come?
   */
  constructor(channel: Link, oldest: () => number | undefined, room: () => boolean) {
    this.channel = channel
    this.oldest = oldest
    this.room = room
  }

  get roomy(): boolean {
    return this.room() && this.channel.roomy
  }

  announce(w: number, idle: boolean, ended: boolean): void {
    const { channel } = this
    const oldest = this.oldest()
    channel.w = oldest === undefined ? w : Math.min(w, oldest)
    channel.idle = idle && oldest === undefined
    channel.ended = ended && oldest === undefined
  }
}
