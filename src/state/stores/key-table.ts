interface Keyed {
  readonly key: unknown
  /** Equal keys have equal ones. */
  readonly hash: number
}

const firstSlots = 64
/** Of the slots that are taken at most. */
const mostTaken = 0.6

/**
 * Entries by their keys, which nothing is made of to find one: neither bytes nor a text, as a Map would need for a tuple, and
 * none that the engine keeps a table of its own of, as V8 does of the texts that a Map is asked for.
 *
 *     slots    hash and place + 1 in turn; a key is in the first free slot from its hash on, so that a search ends at a free one
 *     entries  by place; those that were let go of are given again
 */
export class KeyTable<E extends Keyed> {
  private slots = new Int32Array(2 * firstSlots)
  private mask = firstSlots - 1
  private readonly entries: (E | undefined)[] = []
  private readonly free: number[] = []
  private hand = 0
  private readonly same: (a: unknown, b: unknown) => boolean
  size = 0

  constructor(same: (a: unknown, b: unknown) => boolean) {
    this.same = same
  }

  get(key: unknown, hash: number): E | undefined {
    const { slots, mask, entries } = this
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const place = slots[2 * i + 1] as number
      if (place === 0) return undefined
      if (slots[2 * i] !== hash) continue
      const entry = entries[place - 1] as E
      if (entry.key === key || this.same(entry.key, key)) return entry
    }
  }

  /** There must be none of its key. */
  add(entry: E): void {
    if (this.size >= (this.mask + 1) * mostTaken) this.grow()
    const place = this.free.pop() ?? this.entries.length
    this.entries[place] = entry
    this.size++
    this.take(entry.hash, place + 1)
  }

  /** @returns whether it was there */
  delete(entry: E): boolean {
    const { slots, mask, entries } = this
    for (let i = entry.hash & mask; ; i = (i + 1) & mask) {
      const place = slots[2 * i + 1] as number
      if (place === 0) return false
      if (entries[place - 1] !== entry) continue
      entries[place - 1] = undefined
      this.free.push(place - 1)
      this.size--
      this.close(i)
      return true
    }
  }

  *[Symbol.iterator](): Generator<E> {
    for (const entry of this.entries) if (entry !== undefined) yield entry
  }

  /**
   * Second chance (the clock of page replacement): goes on from where it was, at most `rounds` times around, and lets go what
   * `spared` does not keep, until `enough` says so, which is asked after each.
   */
  sweep(rounds: number, spared: (entry: E) => boolean, enough: (gone: E) => boolean): void {
    const { entries } = this
    for (let left = rounds * entries.length; left > 0; left--) {
      if (this.hand >= entries.length) this.hand = 0
      const entry = entries[this.hand++]
      if (entry === undefined || spared(entry)) continue
      this.delete(entry)
      if (enough(entry)) return
    }
  }

  private take(hash: number, place: number): void {
    const { slots, mask } = this
    let i = hash & mask
    while (slots[2 * i + 1] !== 0) i = (i + 1) & mask
    slots[2 * i] = hash
    slots[2 * i + 1] = place
  }

  /** Moves up what is behind the slot and was not meant for one behind it (Knuth, vol. 3, 6.4, algorithm R). */
  private close(gap: number): void {
    const { slots, mask } = this
    for (let i = (gap + 1) & mask; slots[2 * i + 1] !== 0; i = (i + 1) & mask) {
      const wanted = (slots[2 * i] as number) & mask
      if (((i - wanted) & mask) < ((i - gap) & mask)) continue
      slots[2 * gap] = slots[2 * i] as number
      slots[2 * gap + 1] = slots[2 * i + 1] as number
      gap = i
    }
    slots[2 * gap + 1] = 0
  }

  private grow(): void {
    const old = this.slots
    this.mask = 2 * this.mask + 1
    this.slots = new Int32Array(2 * (this.mask + 1))
    for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) this.take(old[i] as number, old[i + 1] as number)
  }
}
