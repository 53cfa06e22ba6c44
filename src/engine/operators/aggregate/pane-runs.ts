import type { UserFn } from '../../../dsl/plan/index.ts'
import type { Entry, WindowTable } from '../../../state/stores/index.ts'

/** How states of panes become one. */
export interface PaneMerge {
  /** (earlier, later, key) => state; may change what it is given, and keep it. */
  readonly merge: UserFn
  /** A state that may be handed to `merge`. */
  readonly copy: (state: unknown) => unknown
  /** Of what the table keeps of a pane; undefined: nothing is left. */
  readonly stateOf: (row: unknown) => unknown
}

/**
 * What one key has in the window that slides over its panes, by two stacks: the older panes as suffixes, each merged with
 * all that follow it up to `mid`; the younger ones merged into one. When the suffixes are used up, the younger panes become
 * the older ones. So a pane is merged three times at most, however many windows it is in.
 *
 *     panes      p0   p1   p2 | p3   p4           mid = 3
 *     suffixes   012  12   2  |
 *     back                    | 34                the window from p1 on: merge(12, 34)
 */
export class PaneRun {
  readonly key: unknown
  /** A pane that is already in it was changed. */
  stale = false
  private readonly table: WindowTable
  private readonly how: PaneMerge
  /** Starts of its panes, ascending; those before `head` are over. */
  private starts: number[] = []
  private head = 0
  private mid = 0
  private suffixes: unknown[] = []
  private suffixTs: number[] = []
  private back: unknown = undefined
  private backTs = Number.NEGATIVE_INFINITY
  /** What user code threw: there is no state then. */
  private failure: { readonly error: unknown } | undefined = undefined

  constructor(key: unknown, table: WindowTable, how: PaneMerge) {
    this.key = key
    this.table = table
    this.how = how
  }

  /** A pane after all it has. */
  push(start: number, state: unknown, ts: number): void {
    this.starts.push(start)
    if (state === undefined) return
    try {
      this.back = this.joined(this.back, state)
    } catch {
      // it is tried again with all panes
      this.stale = true
    }
    if (ts > this.backTs) this.backTs = ts
  }

  /** A pane that it has, or may have to take in between, was changed. */
  touch(start: number): void {
    const { starts } = this
    this.stale = true
    let i = starts.length
    while (i > this.head && (starts[i - 1] as number) > start) i--
    if (i > this.head && starts[i - 1] === start) return
    starts.splice(i, 0, start)
    if (i < this.mid) this.mid++
  }

  /** Leaves out panes that start before. @returns whether any is left */
  slide(start: number): boolean {
    const { starts } = this
    while (this.head < starts.length && (starts[this.head] as number) < start) this.head++
    if (this.head === starts.length) return false
    this.failure = undefined
    try {
      if (this.stale || this.head > this.mid) this.turn()
    } catch (error) {
      this.failure = { error }
      this.stale = true
    }
    return true
  }

  /** Highest timestamp of its records. */
  get ts(): number {
    const front = this.head < this.mid ? (this.suffixTs[this.head] as number) : Number.NEGATIVE_INFINITY
    return front > this.backTs ? front : this.backTs
  }

  /** Not to be changed, and never changed later. undefined: nothing is there. @throws what user code has thrown */
  state(): unknown {
    if (this.failure !== undefined) throw this.failure.error
    const { copy } = this.how
    const front = this.head < this.mid ? this.suffixes[this.head] : undefined
    if (front === undefined) return this.back === undefined ? undefined : copy(this.back)
    return this.back === undefined ? front : this.joined(copy(front), this.back)
  }

  /** All panes become older ones. */
  private turn(): void {
    const { table, key } = this
    const starts = this.starts.slice(this.head)
    const suffixes = new Array<unknown>(starts.length)
    const times = new Array<number>(starts.length)
    let state: unknown
    let ts = Number.NEGATIVE_INFINITY
    for (let i = starts.length - 1; i >= 0; i--) {
      const entry = table.peek(starts[i] as number)?.load(key)
      const own = entry === undefined || entry.value === undefined ? undefined : this.how.stateOf(entry.value)
      if (entry !== undefined && own !== undefined) {
        state = state === undefined ? this.how.copy(own) : this.joined(this.how.copy(own), state)
        if (entry.ts > ts) ts = entry.ts
      }
      suffixes[i] = state
      times[i] = ts
    }
    this.starts = starts
    this.head = 0
    this.mid = starts.length
    this.suffixes = suffixes
    this.suffixTs = times
    this.back = undefined
    this.backTs = Number.NEGATIVE_INFINITY
    this.stale = false
  }

  private joined(left: unknown, right: unknown): unknown {
    const { merge, copy } = this.how
    const mine = copy(right)
    return left === undefined ? mine : (merge(left, mine, this.key) ?? undefined)
  }
}

/** A window that slides over the panes of all keys of a table, from older to younger. */
export class PaneRuns {
  private readonly table: WindowTable
  private readonly how: PaneMerge
  private readonly runs = new Map<string | number, PaneRun>()
  /** In the order of keys, unless keys came since. */
  private sorted: PaneRun[] = []
  private unsorted = false
  /** Panes that start before are in the runs. */
  private folded = Number.NEGATIVE_INFINITY
  private readonly only: readonly unknown[] | undefined
  private readonly ids: ReadonlySet<string | number>

  /** @param only the keys to look at; absent: all */
  constructor(table: WindowTable, how: PaneMerge, only?: readonly unknown[]) {
    this.table = table
    this.how = how
    this.only = only
    this.ids = new Set(only?.map((key) => table.space.keys.id(key)))
  }

  /** Slides to [start, end). @returns the runs of keys that have panes there, in the order of keys; valid until the next call */
  slide(start: number, end: number): readonly PaneRun[] {
    this.fold(Math.max(this.folded, start), end)
    const { sorted, runs } = this
    const { keys } = this.table.space
    if (this.unsorted) sorted.sort((a, b) => keys.compare(a.key, b.key))
    this.unsorted = false
    let live = 0
    for (const run of sorted) {
      if (run.slide(start)) sorted[live++] = run
      else runs.delete(keys.id(run.key))
    }
    sorted.length = live
    return sorted
  }

  /** A pane was changed. */
  touch(start: number, key: unknown): void {
    if (start < this.folded) this.run(key).touch(start)
  }

  private fold(from: number, end: number): void {
    const { table, how } = this
    const starts = table.liveStarts
    for (let i = indexOf(starts, from); i < starts.length; i++) {
      const start = starts[i] as number
      if (start >= end) break
      for (const { key, value, ts } of this.rows(start)) this.run(key).push(start, how.stateOf(value), ts)
    }
    this.folded = end
  }

  private rows(start: number): readonly Entry[] {
    const { only, ids, table } = this
    if (only === undefined) return table.live(start)
    const bucket = table.peek(start)
    if (bucket === undefined) return []
    const live: Entry[] = []
    if (bucket.complete && bucket.entries.size <= only.length) {
      for (const [id, entry] of bucket.entries) if (entry.value !== undefined && ids.has(id)) live.push(entry)
      return live
    }
    for (const key of only) {
      const entry = bucket.find(key)
      if (entry !== undefined && entry.value !== undefined) live.push(entry)
    }
    return live
  }

  private run(key: unknown): PaneRun {
    const id = this.table.space.keys.id(key)
    let run = this.runs.get(id)
    if (run === undefined) {
      run = new PaneRun(key, this.table, this.how)
      this.runs.set(id, run)
      this.sorted.push(run)
      this.unsorted = true
    }
    return run
  }
}

/** Index of the first number that is not below. */
function indexOf(sorted: readonly number[], from: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) < from) low = middle + 1
    else high = middle
  }
  return low
}
