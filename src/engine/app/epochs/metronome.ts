/** Beats at an interval by the monotonic clock; a beat that comes late does not put off those behind it. */
export class Metronome {
  private readonly beat: () => void
  private readonly interval: number
  private timer: NodeJS.Timeout | undefined
  private next = 0

  /** @param interval ms */
  constructor(interval: number, beat: () => void) {
    this.interval = Math.max(1, interval)
    this.beat = beat
  }

  start(): void {
    const now = performance.now()
    this.next = this.next + this.interval > now ? this.next + this.interval : now + this.interval
    this.timer = setTimeout(() => {
      this.beat()
      if (this.timer !== undefined) this.start()
    }, this.next - now)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }
}
