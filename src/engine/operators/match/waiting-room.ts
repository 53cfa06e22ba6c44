import { Guest } from './guest.ts'
import { GuestLine } from './guest-line.ts'

const before = (a: Guest, b: Guest): boolean => a.ts < b.ts || (a.ts === b.ts && a.seq < b.seq)

/**
 * Records in the order of (timestamp, arrival). Those that come in order, which are nearly all, stand in line; the others
 * are in a heap beside it, and whoever of the two heads is first goes first.
 */
export class WaitingRoom {
  /** Timestamp of the first; Infinity: nobody waits. */
  first = Number.POSITIVE_INFINITY
  private nextSeq = 0
  private readonly line = new GuestLine()
  private readonly heap: Guest[] = []
  /** Went since the last look, of those that are stored. */
  private leftStored: Pick<Guest, 'ts' | 'seq'>[] = []

  get size(): number {
    return this.line.size + this.heap.length
  }

  add(ts: number, key: unknown, value: unknown, place: number, origin: number): void {
    const seq = this.nextSeq++
    if (this.line.takes(ts)) this.line.add(ts, seq, key, value, place, origin)
    else this.push(new Guest(ts, seq, key, value, place, origin))
    if (ts < this.first) this.first = ts
  }

  /** Those that were stored, in order; before any other comes. */
  restore(guests: Iterable<Guest>): void {
    for (const { ts, seq, key, value, place, origin } of guests) {
      if (seq >= this.nextSeq) this.nextSeq = seq + 1
      this.line.add(ts, seq, key, value, place, origin)
    }
    this.line.store()
    this.look()
  }

  /** Moves the first, which must be there, into `guest`. */
  take(guest: Guest): void {
    const { line, heap } = this
    const inLine = line.size > 0
    if (heap.length > 0 && !(inLine && this.lineIsFirst(heap[0] as Guest))) this.pop(guest)
    else if (line.take(guest)) this.leftStored.push({ ts: guest.ts, seq: guest.seq })
    this.look()
  }

  /** Those that are here and not stored, which they are from now on, and stored ones that went since the last call. */
  changes(): { readonly came: readonly Guest[]; readonly went: readonly Pick<Guest, 'ts' | 'seq'>[] } {
    const came = this.line.store()
    for (const guest of this.heap) {
      if (guest.stored) continue
      guest.stored = true
      came.push(guest)
    }
    const went = this.leftStored
    this.leftStored = []
    return { came, went }
  }

  private lineIsFirst({ ts, seq }: Guest): boolean {
    const { line } = this
    return line.ts < ts || (line.ts === ts && line.seq < seq)
  }

  private look(): void {
    const { line, heap } = this
    const inLine = line.size > 0 ? line.ts : Number.POSITIVE_INFINITY
    const beside = heap.length > 0 ? (heap[0] as Guest).ts : Number.POSITIVE_INFINITY
    this.first = inLine < beside ? inLine : beside
  }

  private push(guest: Guest): void {
    const { heap } = this
    let i = heap.push(guest) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(guest, heap[parent] as Guest)) break
      heap[i] = heap[parent] as Guest
      i = parent
    }
    heap[i] = guest
  }

  private pop(into: Guest): void {
    const { heap } = this
    const { ts, seq, key, value, place, origin, stored } = heap[0] as Guest
    into.ts = ts
    into.seq = seq
    into.key = key
    into.value = value
    into.place = place
    into.origin = origin
    if (stored) this.leftStored.push({ ts, seq })
    const last = heap.pop() as Guest
    if (heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Guest, heap[child] as Guest)) child++
      if (!before(heap[child] as Guest, last)) break
      heap[i] = heap[child] as Guest
      i = child
    }
    heap[i] = last
  }
}
