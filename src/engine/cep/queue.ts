/**
 * A binary heap with the sifting rules of Java's PriorityQueue. Which of several equal entries leaves first is part of
 * what Flink's skip strategies give, so these rules are part of the semantics: equal entries do not overtake on the way
 * up, the last entry takes the place of the one that leaves, and a removal of many keeps the array's order and
 * heapifies it.
 */
export class Queue<E> {
  items: E[] = []
  private readonly compare: (a: E, b: E) => number

  constructor(compare: (a: E, b: E) => number) {
    this.compare = compare
  }

  get size(): number {
    return this.items.length
  }

  peek(): E | undefined {
    return this.items[0]
  }

  add(entry: E): void {
    const { items, compare } = this
    let at = items.length
    items.push(entry)
    while (at > 0) {
      const up = (at - 1) >>> 1
      const parent = items[up] as E
      if (compare(entry, parent) >= 0) break
      items[at] = parent
      at = up
    }
    items[at] = entry
  }

  poll(): E | undefined {
    const { items } = this
    const first = items[0]
    const last = items.pop() as E
    if (items.length > 0) this.sink(0, last)
    return first
  }

  /** Takes out all entries that `drop` says; gives how many. */
  removeIf(drop: (entry: E) => boolean): number {
    const before = this.items.length
    this.items = this.items.filter((entry) => !drop(entry))
    const removed = before - this.items.length
    if (removed > 0) {
      for (let at = (this.items.length >>> 1) - 1; at >= 0; at--) this.sink(at, this.items[at] as E)
    }
    return removed
  }

  private sink(from: number, entry: E): void {
    const { items, compare } = this
    const n = items.length
    let at = from
    while (at < n >>> 1) {
      let down = 2 * at + 1
      if (down + 1 < n && compare(items[down] as E, items[down + 1] as E) > 0) down++
      const child = items[down] as E
      if (compare(entry, child) <= 0) break
      items[at] = child
      at = down
    }
    items[at] = entry
  }
}
