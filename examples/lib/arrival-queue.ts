/**
 * Puts items into the order of their arrival, without holding more than those still under way.
 * A binary heap over (arrival, order of insertion).
 */
export class ArrivalQueue<T> {
  readonly #arrivals: number[] = []
  readonly #sequence: number[] = []
  readonly #items: T[] = []
  #inserted = 0

  /** When the next item arrives; infinity if there is none. */
  get next(): number {
    return this.#arrivals.length === 0 ? Number.POSITIVE_INFINITY : (this.#arrivals[0] as number)
  }

  push(arrival: number, item: T): void {
    this.#up(this.#items.length, arrival, this.#inserted++, item)
  }

  /** Takes out the next item; look at `next` first. */
  shift(): T {
    const first = this.#items[0] as T
    const arrival = this.#arrivals.pop() as number
    const sequence = this.#sequence.pop() as number
    const item = this.#items.pop() as T
    if (this.#items.length > 0) this.#down(arrival, sequence, item)
    return first
  }

  /** All items that arrive at or before this time, in order. */
  *until(time: number): Generator<T> {
    while (this.next <= time && this.#items.length > 0) yield this.shift()
  }

  #up(from: number, arrival: number, sequence: number, item: T): void {
    let hole = from
    while (hole > 0) {
      const parent = (hole - 1) >> 1
      if ((this.#arrivals[parent] as number) <= arrival) break
      this.#move(parent, hole)
      hole = parent
    }
    this.#place(hole, arrival, sequence, item)
  }

  #down(arrival: number, sequence: number, item: T): void {
    const length = this.#items.length
    let hole = 0
    for (;;) {
      let child = 2 * hole + 1
      if (child >= length) break
      if (child + 1 < length && this.#before(child + 1, child)) child++
      const childArrival = this.#arrivals[child] as number
      if (arrival < childArrival || (arrival === childArrival && sequence < (this.#sequence[child] as number))) break
      this.#move(child, hole)
      hole = child
    }
    this.#place(hole, arrival, sequence, item)
  }

  #before(a: number, b: number): boolean {
    const difference = (this.#arrivals[a] as number) - (this.#arrivals[b] as number)
    return difference < 0 || (difference === 0 && (this.#sequence[a] as number) < (this.#sequence[b] as number))
  }

  #move(from: number, to: number): void {
    this.#place(to, this.#arrivals[from] as number, this.#sequence[from] as number, this.#items[from] as T)
  }

  #place(at: number, arrival: number, sequence: number, item: T): void {
    this.#arrivals[at] = arrival
    this.#sequence[at] = sequence
    this.#items[at] = item
  }
}
