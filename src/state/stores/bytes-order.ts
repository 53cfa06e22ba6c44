/** As few are put in order by comparing them. */
const few = 24
/** Bytes that are looked at at once. */
const window = 4
const radix = 256

/**
 * The order of byte strings that lie one behind the other: by the four bytes behind what all of them begin with, digit by
 * digit from the one that counts least; what is alike there by the bytes behind, and few of them by comparing.
 *
 *     bytes        word      sorted    by the bytes behind
 *     channel-12   "12.."    Goog      Google
 *     Google       "Goog"    12..      channel-12
 *
 * Its memory is used again: an order is there until the next one is asked for.
 */
export class BytesOrder {
  private places = new Uint32Array(0)
  private words = new Uint32Array(0)
  private nextPlaces = new Uint32Array(0)
  private nextWords = new Uint32Array(0)
  private readonly counts = new Uint32Array(window * radix)
  private data: Uint8Array = new Uint8Array(0)
  private starts: Uint32Array = new Uint32Array(0)

  /** @param starts of each string, and the end of the last; @returns their places in order */
  sort(data: Uint8Array, starts: Uint32Array, count: number): Uint32Array {
    if (count > this.places.length) this.grow(Math.ceil(count * 1.25))
    this.data = data
    this.starts = starts
    for (let i = 0; i < count; i++) this.places[i] = i
    this.sortFrom(0, count, 0)
    return this.places
  }

  /** Places [first, end), whose strings are alike up to `depth`. */
  private sortFrom(first: number, end: number, depth: number): void {
    if (end - first <= few) {
      this.sortFew(first, end, depth)
      return
    }
    const alike = this.alike(first, end, depth)
    const ended = this.look(first, end, alike)
    this.sortDigits(first, end)
    const { words } = this
    for (let i = first; i < end; ) {
      const own = words[i] as number
      let next = i + 1
      while (next < end && words[next] === own) next++
      if (next - i > few && ended) this.sortByComparing(i, next, alike)
      else if (next > i + 1) this.sortFrom(i, next, ended ? alike : alike + window)
      i = next
    }
  }

  /** How far these are alike. */
  private alike(first: number, end: number, depth: number): number {
    const { data, starts, places } = this
    const one = places[first] as number
    const from = starts[one] as number
    let alike = (starts[one + 1] as number) - from
    for (let i = first + 1; i < end && alike > depth; i++) {
      const place = places[i] as number
      const start = starts[place] as number
      const most = Math.min(alike, (starts[place + 1] as number) - start)
      let at = depth
      while (at < most && data[start + at] === data[from + at]) at++
      alike = at
    }
    return alike
  }

  /** Takes the words at `depth`, and counts their digits. @returns whether a string ends in its word, which zeros fill up then */
  private look(first: number, end: number, depth: number): boolean {
    const { data, starts, places, words, counts } = this
    counts.fill(0)
    let ended = false
    for (let i = first; i < end; i++) {
      const place = places[i] as number
      const at = (starts[place] as number) + depth
      const left = (starts[place + 1] as number) - at
      let word = 0
      if (left >= window) {
        word =
          ((data[at] as number) << 24) |
          ((data[at + 1] as number) << 16) |
          ((data[at + 2] as number) << 8) |
          (data[at + 3] as number)
      } else {
        ended = true
        for (let n = 0; n < left; n++) word |= (data[at + n] as number) << (24 - 8 * n)
      }
      words[i] = word
      counts[word & 255]!++
      counts[radix + ((word >>> 8) & 255)]!++
      counts[2 * radix + ((word >>> 16) & 255)]!++
      counts[3 * radix + (word >>> 24)]!++
    }
    return ended
  }

  private sortDigits(first: number, end: number): void {
    const { counts } = this
    let { places, words, nextPlaces, nextWords } = this
    for (let digit = 0; digit < window; digit++) {
      const sums = radix * digit
      const shift = 8 * digit
      // all have the same there
      if (counts[sums + (((words[first] as number) >>> shift) & 255)] === end - first) continue
      let sum = first
      for (let i = sums; i < sums + radix; i++) {
        const count = counts[i] as number
        counts[i] = sum
        sum += count
      }
      for (let i = first; i < end; i++) {
        const word = words[i] as number
        const at = counts[sums + ((word >>> shift) & 255)]!++
        nextPlaces[at] = places[i] as number
        nextWords[at] = word
      }
      ;[places, nextPlaces] = [nextPlaces, places]
      ;[words, nextWords] = [nextWords, words]
    }
    if (places === this.places) return
    this.places.set(places.subarray(first, end), first)
    this.words.set(words.subarray(first, end), first)
  }

  private sortFew(first: number, end: number, depth: number): void {
    const { places } = this
    for (let i = first + 1; i < end; i++) {
      const own = places[i] as number
      let at = i
      for (; at > first && this.compare(places[at - 1] as number, own, depth) > 0; at--)
        places[at] = places[at - 1] as number
      places[at] = own
    }
  }

  private sortByComparing(first: number, end: number, depth: number): void {
    const sorted = [...this.places.subarray(first, end)].sort((a, b) => this.compare(a, b, depth))
    this.places.set(sorted, first)
  }

  private compare(a: number, b: number, depth: number): number {
    const { data, starts } = this
    const one = starts[a] as number
    const other = starts[b] as number
    const length = (starts[a + 1] as number) - one
    const otherLength = (starts[b + 1] as number) - other
    const most = Math.min(length, otherLength)
    for (let at = depth; at < most; at++) {
      const differs = (data[one + at] as number) - (data[other + at] as number)
      if (differs !== 0) return differs
    }
    return length - otherLength
  }

  private grow(room: number): void {
    this.places = new Uint32Array(room)
    this.words = new Uint32Array(room)
    this.nextPlaces = new Uint32Array(room)
    this.nextWords = new Uint32Array(room)
  }
}
