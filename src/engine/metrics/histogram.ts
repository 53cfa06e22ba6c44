/** Buckets for each doubling: a percentile is told within 9 %. */
const perDoubling = 8
const least = 2 ** -7

/**
 * How often durations of each length came: one bucket for each eighth of a doubling, from 8 µs to 4 hours. It adds in constant
 * time, and two of them add up (HDR histograms, Gil Tene; here with buckets of equal ratio).
 */
export class Histogram {
  readonly buckets = new Float64Array(31 * perDoubling)
  count = 0
  sum = 0
  max = 0

  /** @param ms duration @param times that it came */
  add(ms: number, times = 1): void {
    const at = Math.floor(Math.log2(Math.max(ms, least) / least) * perDoubling)
    ;(this.buckets[Math.min(at, this.buckets.length - 1)] as number) += times
    this.count += times
    this.sum += ms * times
    if (ms > this.max) this.max = ms
  }

  /** How many were shorter than this; exact where buckets end: at powers of 2. */
  atMost(ms: number): number {
    const end = Math.round(Math.log2(ms / least) * perDoubling)
    let n = 0
    for (let i = 0; i < Math.min(end, this.buckets.length); i++) n += this.buckets[i] as number
    return n
  }

  /** The duration that this share (0 … 1) of all does not exceed; NaN where there was none. */
  percentile(share: number): number {
    if (this.count === 0) return Number.NaN
    const wanted = share * this.count
    let before = 0
    for (let i = 0; i < this.buckets.length; i++) {
      const n = this.buckets[i] as number
      if (n > 0 && before + n >= wanted) {
        const within = Math.max(0, (wanted - before) / n)
        return Math.min(this.max, least * 2 ** ((i + within) / perDoubling))
      }
      before += n
    }
    return this.max
  }

  clear(): void {
    this.buckets.fill(0)
    this.count = 0
    this.sum = 0
    this.max = 0
  }
}
