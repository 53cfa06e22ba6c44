/** A binary heap: the least item first. */
export class Heap<T> {
  private readonly items: T[] = []
  private readonly before: (a: T, b: T) => boolean

  /** @param before is a to come out before b? */
  constructor(before: (a: T, b: T) => boolean) {
    this.before = before
  }

  get first(): T | undefined {
    return this.items[0]
  }

  push(item: T): void {
    const { items, before } = this
    let i = items.push(item) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(item, items[parent] as T)) break
      items[i] = items[parent] as T
      i = parent
    }
    items[i] = item
  }

  pop(): T | undefined {
    const { items, before } = this
    const top = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= items.length) break
      if (child + 1 < items.length && before(items[child + 1] as T, items[child] as T)) child++
      if (!before(items[child] as T, last)) break
      items[i] = items[child] as T
      i = child
    }
    items[i] = last
    return top
  }
}
