/** A record that waits for its time. */
export class Guest {
  readonly ts: number
  /** Order of arrival. */
  readonly seq: number
  readonly key: unknown
  readonly value: unknown
  /** Its source record, see places.ts. */
  readonly place: number
  readonly origin: number
  /** Its row lies in the database. */
  stored = false

  constructor(ts: number, seq: number, key: unknown, value: unknown, place: number, origin: number) {
    this.ts = ts
    this.seq = seq
    this.key = key
    this.value = value
    this.place = place
    this.origin = origin
  }
}

const before = (a: Guest, b: Guest): boolean => a.ts < b.ts || (a.ts === b.ts && a.seq < b.seq)

/**
 * Records in the order of (timestamp, arrival). Those that come in order, which are nearly all, stand in line; the others
 * are in a heap beside it, and whoever of the two heads is first goes first.
 */
export class WaitingRoom {
  nextSeq = 0
  private line: Guest[] = []
  /** Those of the line before this index are gone. */
  private from = 0
  private readonly heap: Guest[] = []
  /** Went since the last look, of those that are stored. */
  private leftStored: Guest[] = []

  get size(): number {
    return this.line.length - this.from + this.heap.length
  }

  add(ts: number, key: unknown, value: unknown, place: number, origin: number): void {
    this.place(new Guest(ts, this.nextSeq++, key, value, place, origin))
  }

  /** One that was stored. */
  restore(ts: number, seq: number, key: unknown, value: unknown, place: number, origin: number): void {
    const guest = new Guest(ts, seq, key, value, place, origin)
    guest.stored = true
    if (seq >= this.nextSeq) this.nextSeq = seq + 1
    this.place(guest)
  }

  /** Timestamp of the first; Infinity: nobody waits. */
  get first(): number {
    const { line, from, heap } = this
    const inLine = from < line.length ? (line[from] as Guest).ts : Number.POSITIVE_INFINITY
    const beside = heap.length > 0 ? (heap[0] as Guest).ts : Number.POSITIVE_INFINITY
    return inLine < beside ? inLine : beside
  }

  /** Takes out the first. */
  take(): Guest {
    const { line, from, heap } = this
    const guest =
      heap.length > 0 && (from === line.length || before(heap[0] as Guest, line[from] as Guest))
        ? this.pop()
        : this.next()
    if (guest.stored) this.leftStored.push(guest)
    return guest
  }

  /** Those that are here and not stored, and stored ones that went since the last call. */
  changes(): { readonly came: readonly Guest[]; readonly went: readonly Guest[] } {
    const { line, from } = this
    // who stands in line came after those before
    let begin = line.length
    while (begin > from && !(line[begin - 1] as Guest).stored) begin--
    const came = [...line.slice(begin), ...this.heap.filter(({ stored }) => !stored)]
    const went = this.leftStored
    this.leftStored = []
    return { came, went }
  }

  private next(): Guest {
    const { line } = this
    const guest = line[this.from++] as Guest
    if (this.from === line.length) {
      line.length = 0
      this.from = 0
    } else if (this.from > 1024 && this.from * 2 > line.length) {
      this.line = line.slice(this.from)
      this.from = 0
    }
    return guest
  }

  private place(guest: Guest): void {
    const { line } = this
    const n = line.length
    if (n === 0 || !before(guest, line[n - 1] as Guest)) line.push(guest)
    else this.push(guest)
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

  private pop(): Guest {
    const { heap } = this
    const top = heap[0] as Guest
    const last = heap.pop() as Guest
    if (heap.length === 0) return top
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
    return top
  }
}
