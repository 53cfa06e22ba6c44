import type { FetchedBatch } from '../../../connectors/broker/log.ts'

/** As few are put in order by comparing them. */
const few = 24
/** Bytes of a key that are looked at at once. */
const window = 8
/** A digit is a byte of the window; the one that counts least says how many bytes a key had left. */
const digits = window + 1
const radix = 256

/** Places in some order, with what they are sorted by. */
interface Column {
  readonly place: Uint32Array
  readonly high: Uint32Array
  readonly low: Uint32Array
  readonly left: Uint8Array
}

const newColumn = (room: number): Column => ({
  place: new Uint32Array(room),
  high: new Uint32Array(room),
  low: new Uint32Array(room),
  left: new Uint8Array(room),
})

/**
 * The records of a partition in the order of their keys' bytes, of each key only the newest. A database takes rows in order at
 * several times the speed, and what was overwritten a moment later not at all.
 *
 * Keys are sorted by the eight bytes behind what all of them begin with and by how many bytes there were, digit by digit from
 * the one that counts least (which leaves equal keys in the order in which they came); what is alike there by the bytes behind.
 *
 *     place  key      bytes  left        sorted         newest
 *     0      city-ab  "ab"   2           "ab" 2   0
 *     1      city-b   "b"    1           "ab" 2   2     2
 *     2      city-ab  "ab"   2           "b"  1   1     1
 *
 * Its memory is used again: what `sort` has found is there until the next call.
 */
export class NewestRows {
  /** The places of the newest records, in the order of their keys. */
  newest = new Uint32Array(0)
  /** How many these are. */
  count = 0
  /** Where a place is: which batch, and which record of it. */
  batchOf = new Uint32Array(0)
  recordOf = new Uint32Array(0)
  private from = newColumn(0)
  private to = newColumn(0)
  private readonly counts = new Uint32Array(digits * radix)
  private batches: readonly FetchedBatch[] = []

  /** @param counts how many records of each batch are looked at: the first ones */
  sort(batches: readonly FetchedBatch[], counts: readonly number[]): void {
    let total = 0
    for (const count of counts) total += count
    if (total > this.newest.length) this.grow(Math.ceil(total * 1.25))
    this.batches = batches
    let at = 0
    for (let batch = 0; batch < batches.length; batch++) {
      for (let record = 0; record < (counts[batch] as number); record++) {
        this.batchOf[at] = batch
        this.recordOf[at] = record
        this.from.place[at] = at++
      }
    }
    this.count = 0
    this.sortFrom(0, total, 0)
    this.batches = []
  }

  /** The places [first, end), whose keys are alike up to `depth`; in the order in which they came. */
  private sortFrom(first: number, end: number, depth: number): void {
    if (end - first <= few) {
      this.sortFew(first, end, depth)
      return
    }
    const alike = this.alike(first, end, depth)
    this.look(first, end, alike)
    this.sortDigits(first, end)
    const { place, high, low, left } = this.from
    for (let i = first; i < end; ) {
      const [ownHigh, ownLow, ownLeft] = [high[i], low[i], left[i]]
      let next = i + 1
      while (next < end && low[next] === ownLow && high[next] === ownHigh && left[next] === ownLeft) next++
      // keys that end in the window are equal
      if (next === i + 1 || (ownLeft as number) < window) this.newest[this.count++] = place[next - 1] as number
      else this.sortFrom(i, next, alike + window)
      i = next
    }
  }

  /** How far the keys of these places are alike. */
  private alike(first: number, end: number, depth: number): number {
    const { place } = this.from
    const [one, oneStart, oneEnd] = this.keyOf(place[first] as number)
    let alike = oneEnd - oneStart
    for (let i = first + 1; i < end && alike > depth; i++) {
      const { data, keyStart, keyEnd } = this.batches[this.batchOf[place[i] as number] as number] as FetchedBatch
      const record = this.recordOf[place[i] as number] as number
      const start = keyStart[record] as number
      const most = Math.min(alike, (keyEnd[record] as number) - start)
      let at = depth
      while (at < most && data[start + at] === one[oneStart + at]) at++
      alike = at
    }
    return alike
  }

  private look(first: number, end: number, depth: number): void {
    const { place, high, low, left } = this.from
    const { counts } = this
    counts.fill(0)
    for (let i = first; i < end; i++) {
      const { data, keyStart, keyEnd } = this.batches[this.batchOf[place[i] as number] as number] as FetchedBatch
      const record = this.recordOf[place[i] as number] as number
      const start = (keyStart[record] as number) + depth
      const there = Math.min(window, (keyEnd[record] as number) - start)
      let a = 0
      let b = 0
      if (there === window) {
        a = word(data, start)
        b = word(data, start + 4)
      } else {
        for (let n = 0; n < there && n < 4; n++) a |= (data[start + n] as number) << (24 - 8 * n)
        for (let n = 4; n < there; n++) b |= (data[start + n] as number) << (56 - 8 * n)
      }
      high[i] = a
      low[i] = b
      left[i] = there
      counts[there]!++
      for (let digit = 0; digit < 4; digit++) {
        counts[radix * (1 + digit) + ((b >>> (8 * digit)) & 255)]!++
        counts[radix * (5 + digit) + ((a >>> (8 * digit)) & 255)]!++
      }
    }
  }

  private sortDigits(first: number, end: number): void {
    const { counts } = this
    let [from, to] = [this.from, this.to]
    for (let digit = 0; digit < digits; digit++) {
      const sums = radix * digit
      const by = digit === 0 ? from.left : digit < 5 ? from.low : from.high
      const shift = digit === 0 ? 0 : 8 * ((digit - 1) & 3)
      // all have the same there
      if (counts[sums + (((by[first] as number) >>> shift) & 255)] === end - first) continue
      let sum = first
      for (let i = sums; i < sums + radix; i++) {
        const count = counts[i] as number
        counts[i] = sum
        sum += count
      }
      for (let i = first; i < end; i++) {
        const at = counts[sums + (((by[i] as number) >>> shift) & 255)]!++
        to.place[at] = from.place[i] as number
        to.high[at] = from.high[i] as number
        to.low[at] = from.low[i] as number
        to.left[at] = from.left[i] as number
      }
      ;[from, to] = [to, from]
    }
    if (from === this.from) return
    this.from.place.set(from.place.subarray(first, end), first)
    this.from.high.set(from.high.subarray(first, end), first)
    this.from.low.set(from.low.subarray(first, end), first)
    this.from.left.set(from.left.subarray(first, end), first)
  }

  private sortFew(first: number, end: number, depth: number): void {
    const { place } = this.from
    for (let i = first + 1; i < end; i++) {
      const own = place[i] as number
      let at = i
      for (; at > first && this.compare(place[at - 1] as number, own, depth) > 0; at--)
        place[at] = place[at - 1] as number
      place[at] = own
    }
    for (let i = first; i < end; i++) {
      const own = place[i] as number
      if (i + 1 < end && this.compare(own, place[i + 1] as number, depth) === 0) continue
      this.newest[this.count++] = own
    }
  }

  private compare(a: number, b: number, depth: number): number {
    const [one, oneStart, oneEnd] = this.keyOf(a)
    const [other, otherStart, otherEnd] = this.keyOf(b)
    const most = Math.min(oneEnd - oneStart, otherEnd - otherStart)
    for (let at = depth; at < most; at++) {
      const differs = (one[oneStart + at] as number) - (other[otherStart + at] as number)
      if (differs !== 0) return differs
    }
    return oneEnd - oneStart - (otherEnd - otherStart)
  }

  private keyOf(place: number): readonly [data: Buffer, start: number, end: number] {
    const { data, keyStart, keyEnd } = this.batches[this.batchOf[place] as number] as FetchedBatch
    const record = this.recordOf[place] as number
    return [data, keyStart[record] as number, keyEnd[record] as number]
  }

  private grow(room: number): void {
    this.newest = new Uint32Array(room)
    this.batchOf = new Uint32Array(room)
    this.recordOf = new Uint32Array(room)
    this.from = newColumn(room)
    this.to = newColumn(room)
  }
}

const word = (data: Buffer, at: number): number =>
  ((data[at] as number) << 24) |
  ((data[at + 1] as number) << 16) |
  ((data[at + 2] as number) << 8) |
  (data[at + 3] as number)
