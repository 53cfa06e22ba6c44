import type { Beginning } from '../../cep/index.ts'

/** All there is of a key: one event, by which matches have begun. */
export class Onset {
  readonly key: unknown
  readonly id: string | number
  readonly beginning: Beginning
  readonly value: unknown
  readonly ts: number
  /** They are over, or a matcher of the key has them. */
  over = false

  constructor(key: unknown, id: string | number, beginning: Beginning, value: unknown, ts: number) {
    this.key = key
    this.id = id
    this.beginning = beginning
    this.value = value
    this.ts = ts
  }
}

/**
 * Keys whose matches have begun by one event, with nothing since. Most end so, in the epoch in which they began: they get
 * neither a matcher nor a row, only their event is kept until something is to be done to them. All of them last as long, so
 * they end in the order in which they began:
 *
 *     line   k7@100 · k2@100 · k5@130   ▶ time
 */
export class Onsets {
  /** Partial matches of all. */
  partials = 0
  private readonly keys = new Map<string | number, Onset>()
  /** How long a partial match lasts; Infinity: for ever, and nobody stands in line. */
  private readonly lasts: number
  private line: Onset[] = []
  /** Those of the line before this one are gone. */
  private from = 0

  constructor(lasts: number) {
    this.lasts = lasts
  }

  get size(): number {
    return this.keys.size
  }

  /** How many the line has, those included that are over. */
  get inLine(): number {
    return this.line.length - this.from
  }

  /** When the first ends, or earlier; Infinity: never. */
  get nextDue(): number {
    return this.from < this.line.length ? this.dueOf(this.line[this.from] as Onset) : Number.POSITIVE_INFINITY
  }

  dueOf({ ts }: Onset): number {
    return ts + this.lasts
  }

  get(id: string | number): Onset | undefined {
    return this.keys.get(id)
  }

  all(): IterableIterator<Onset> {
    return this.keys.values()
  }

  /** Of a key that has nothing. */
  begin(key: unknown, id: string | number, beginning: Beginning, value: unknown, ts: number): void {
    const onset = new Onset(key, id, beginning, value, ts)
    this.keys.set(id, onset)
    this.partials += beginning.runs.length
    if (this.lasts === Number.POSITIVE_INFINITY) return
    this.line.push(onset)
    if (this.inLine > 2 * this.keys.size + 1024) {
      this.line = this.line.filter(({ over }) => !over)
      this.from = 0
    }
  }

  /** It is over, or goes to a matcher. */
  end(onset: Onset): void {
    onset.over = true
    this.keys.delete(onset.id)
    this.partials -= onset.beginning.runs.length
    const { line } = this
    while (this.from < line.length && (line[this.from] as Onset).over) this.from++
    if (this.from >= 1024 && this.from * 2 >= line.length) {
      this.line = line.slice(this.from)
      this.from = 0
    }
  }

  /** The first whose time is over at `at`; undefined: nobody's is. */
  due(at: number): Onset | undefined {
    return this.nextDue <= at ? this.line[this.from] : undefined
  }
}
