import type { States } from '../../cep/index.ts'

/**
 * Stored chunks of a key that nothing connects with each other, whose runs rest in the same states: what there is to know of
 * each is when its runs end. An entry is the runs that end together; a chunk has one or some in a row.
 *
 *     dues     100 105 105 130        ▶ time
 *     chunks     4   4   5   7
 */
export class ColdRows {
  readonly states: States
  /** Partial matches. */
  count = 0
  private dues: number[] = []
  private chunks: number[] = []
  private counts: number[] = []
  /** Entries before this one are gone. */
  private from = 0

  constructor(states: States) {
    this.states = states
  }

  /** Those of these states; puts an empty one beside the others if there are none. */
  static of(states: States, rows: ColdRows[]): ColdRows {
    for (let i = 0; i < rows.length; i++) if ((rows[i] as ColdRows).states === states) return rows[i] as ColdRows
    const made = new ColdRows(states)
    rows.push(made)
    return made
  }

  /** When the first ends; Infinity: never. */
  get due(): number {
    return this.from < this.dues.length ? (this.dues[this.from] as number) : Number.POSITIVE_INFINITY
  }

  get empty(): boolean {
    return this.from === this.dues.length
  }

  /** The highest of the chunks; -1: there is none. */
  get last(): number {
    return this.empty ? -1 : (this.chunks.at(-1) as number)
  }

  /** Entries come in order, but for chunks that were in memory while later ones were not. */
  add(chunk: number, due: number, count: number): void {
    const { dues, chunks, counts } = this
    let at = dues.length
    while (at > this.from && after(dues[at - 1] as number, chunks[at - 1] as number, due, chunk)) at--
    if (at === dues.length) {
      dues.push(due)
      chunks.push(chunk)
      counts.push(count)
    } else {
      dues.splice(at, 0, due)
      chunks.splice(at, 0, chunk)
      counts.splice(at, 0, count)
    }
    this.count += count
  }

  /** Takes out what ends at or before `at`. @param gone gets chunks of which nothing is left */
  expire(at: number, gone: number[]): void {
    while (this.due <= at) {
      const chunk = this.chunks[this.from] as number
      this.count -= this.counts[this.from++] as number
      if (this.empty || this.chunks[this.from] !== chunk) gone.push(chunk)
    }
    this.trim()
  }

  /** Takes out the chunks in which something ends at or before `at`. */
  takeDue(at: number): number[] {
    const taken: number[] = []
    while (!this.empty && (this.due <= at || this.chunks[this.from] === taken.at(-1))) {
      const chunk = this.chunks[this.from] as number
      if (chunk !== taken.at(-1)) taken.push(chunk)
      this.count -= this.counts[this.from++] as number
    }
    this.trim()
    return taken
  }

  /** All chunks. */
  all(): number[] {
    const { chunks, from } = this
    const all: number[] = []
    for (let i = from; i < chunks.length; i++) if (chunks[i] !== all.at(-1)) all.push(chunks[i] as number)
    return all
  }

  /** When they end, in order. */
  allDues(): number[] {
    return this.dues.slice(this.from)
  }

  private trim(): void {
    const { from } = this
    if (from < 16 || from * 2 < this.dues.length) return
    this.dues = this.dues.slice(from)
    this.chunks = this.chunks.slice(from)
    this.counts = this.counts.slice(from)
    this.from = 0
  }
}

const after = (dueA: number, chunkA: number, dueB: number, chunkB: number): boolean =>
  dueA > dueB || (dueA === dueB && chunkA > chunkB)
