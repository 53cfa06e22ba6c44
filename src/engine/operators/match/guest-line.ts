import { Guest } from './guest.ts'

/** Places of a new line; a power of two. */
const SMALLEST = 1024

/**
 * Records in a row, each not before the one in front of it: a ring of columns, since an object for each would be most of what a
 * record in order costs. Numbers of records only grow; the ring has those in [first, end).
 */
export class GuestLine {
  first = 0
  end = 0
  /** Those before this number are stored. */
  private stored = 0
  private mask = SMALLEST - 1
  private times = new Float64Array(SMALLEST)
  private seqs = new Float64Array(SMALLEST)
  private origins = new Float64Array(SMALLEST)
  private places = new Int32Array(SMALLEST)
  private keys: unknown[] = new Array<unknown>(SMALLEST).fill(undefined)
  private values: unknown[] = new Array<unknown>(SMALLEST).fill(undefined)

  get size(): number {
    return this.end - this.first
  }

  /** Timestamp of the first; there must be one. */
  get ts(): number {
    return this.times[this.first & this.mask] as number
  }

  /** Its order of arrival. */
  get seq(): number {
    return this.seqs[this.first & this.mask] as number
  }

  /** Whether a record of this time stands in line, if it comes after all others. */
  takes(ts: number): boolean {
    return this.end === this.first || ts >= (this.times[(this.end - 1) & this.mask] as number)
  }

  add(ts: number, seq: number, key: unknown, value: unknown, place: number, origin: number): void {
    if (this.end - this.first > this.mask) this.resize(2 * (this.mask + 1))
    const at = this.end++ & this.mask
    this.times[at] = ts
    this.seqs[at] = seq
    this.keys[at] = key
    this.values[at] = value
    this.places[at] = place
    this.origins[at] = origin
  }

  /** Moves the first into `guest`. @returns whether it is stored */
  take(guest: Guest): boolean {
    const at = this.first & this.mask
    guest.ts = this.times[at] as number
    guest.seq = this.seqs[at] as number
    guest.key = this.keys[at]
    guest.value = this.values[at]
    guest.place = this.places[at] as number
    guest.origin = this.origins[at] as number
    this.keys[at] = undefined
    this.values[at] = undefined
    this.first++
    // what a burst needed is not kept
    if (this.mask >= SMALLEST && this.size < this.mask >> 3) this.resize((this.mask + 1) >> 1)
    return this.first <= this.stored
  }

  /** Those that are not stored; they are from now on. */
  store(): Guest[] {
    const guests: Guest[] = []
    for (let n = Math.max(this.first, this.stored); n < this.end; n++) {
      const at = n & this.mask
      const [ts, seq] = [this.times[at] as number, this.seqs[at] as number]
      const [place, origin] = [this.places[at] as number, this.origins[at] as number]
      guests.push(new Guest(ts, seq, this.keys[at], this.values[at], place, origin))
    }
    this.stored = this.end
    return guests
  }

  private resize(capacity: number): void {
    const { times, seqs, keys, values, places, origins, mask, first, end } = this
    this.mask = capacity - 1
    this.times = new Float64Array(capacity)
    this.seqs = new Float64Array(capacity)
    this.origins = new Float64Array(capacity)
    this.places = new Int32Array(capacity)
    this.keys = new Array<unknown>(capacity).fill(undefined)
    this.values = new Array<unknown>(capacity).fill(undefined)
    this.end = first
    for (let n = first; n < end; n++) {
      const at = n & mask
      const [ts, seq] = [times[at] as number, seqs[at] as number]
      this.add(ts, seq, keys[at], values[at], places[at] as number, origins[at] as number)
    }
  }
}
