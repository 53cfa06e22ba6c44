import type { Due, DueIndex } from './due-index.ts'
import type { Entry } from './entry.ts'
import type { KeyValueTable } from './key-value.ts'

/** A row that time has to look at again. */
export interface Armed {
  /** Nothing is due for this key before. */
  armedAt: number
}

/**
 * Rows by key, and an index of when a key is looked at next: its `armedAt`, rounded down to a multiple of `span`, is a
 * stretch of the index, which is read when its time comes and cleared when it is over. The index may be out of date (the
 * key was armed again for another time): the key's own `armedAt` decides.
 */
export class DueTable<R extends Armed> {
  readonly rows: KeyValueTable
  private readonly timers: DueIndex
  private readonly span: number
  private readonly heap: Due[] = []
  /** Stretches that start before are in the heap. */
  private loaded = Number.NEGATIVE_INFINITY

  /** @param span how far apart the stretches of the index lie, ms */
  constructor(rows: KeyValueTable, timers: DueIndex, span: number) {
    this.rows = rows
    this.timers = timers
    this.span = span
  }

  /**
   * Stores a key's row; undefined deletes. It is looked at again at `dueAt` at the latest.
   * @param armed the row, also where it is deleted
   * @returns whether that is earlier than it was
   */
  keep(entry: Entry, row: R | undefined, armed: R, ts: number, dueAt: number): boolean {
    const earlier = dueAt < armed.armedAt
    if (earlier) {
      armed.armedAt = dueAt
      this.index(entry.key, dueAt)
    }
    this.rows.set(entry, row, ts)
    return earlier
  }

  /** When `take` may find something; may be too early. */
  nextAt(): number {
    const next = this.nextStretch()
    const first = this.heap.length === 0 ? Number.POSITIVE_INFINITY : (this.heap[0] as Due).at
    return next < first ? next : first
  }

  /** Keys that are due, which are not armed any more; each once. */
  take(at: number): Entry[] {
    for (let start = this.nextStretch(); start <= at; start = this.nextStretch()) this.loadStretch(start)
    const { heap } = this
    const entries: Entry[] = []
    if (heap.length === 0 || (heap[0] as Due).at > at) return entries
    if (!this.rows.inMemory) this.prefetch(at)
    while (heap.length > 0 && (heap[0] as Due).at <= at) {
      const { key, at: armedAt } = pop(heap) as Due
      const entry = this.rows.load(key)
      const row = entry.value as R | undefined
      if (row === undefined || row.armedAt !== armedAt) continue
      row.armedAt = Number.POSITIVE_INFINITY
      entries.push(entry)
    }
    return entries
  }

  private prefetch(at: number): void {
    const keys: unknown[] = []
    for (const due of this.heap) if (due.at <= at) keys.push(due.key)
    if (keys.length > 1) this.rows.prefetch(keys, 0, keys.length)
  }

  /** Drops stretches that are over: all, where no key is armed. */
  forget(at: number): void {
    const until = this.nextAt() === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : at
    for (let [start] = this.timers.liveStarts; start !== undefined; [start] = this.timers.liveStarts) {
      if (start + this.span - 1 > until || start >= this.loaded) return
      this.timers.drop(start)
    }
  }

  private index(key: unknown, at: number): void {
    const start = Math.floor(at / this.span) * this.span
    this.timers.add(start, key, at)
    if (start < this.loaded) push(this.heap, { at, key })
  }

  private nextStretch(): number {
    for (const start of this.timers.liveStarts) if (start >= this.loaded) return start
    return Number.POSITIVE_INFINITY
  }

  private loadStretch(start: number): void {
    const dues = this.timers.take(start)
    this.loaded = start + this.span
    for (const { key, at } of dues) {
      if (at < this.loaded) push(this.heap, { at, key })
      else this.index(key, at) // written when spans were longer
    }
  }
}

function push(heap: Due[], due: Due): void {
  let i = heap.push(due) - 1
  while (i > 0) {
    const parent = (i - 1) >> 1
    if ((heap[parent] as Due).at <= due.at) break
    heap[i] = heap[parent] as Due
    i = parent
  }
  heap[i] = due
}

function pop(heap: Due[]): Due | undefined {
  const top = heap[0]
  const last = heap.pop() as Due
  if (heap.length === 0) return top
  let i = 0
  for (;;) {
    let child = 2 * i + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && (heap[child + 1] as Due).at < (heap[child] as Due).at) child++
    if ((heap[child] as Due).at >= last.at) break
    heap[i] = heap[child] as Due
    i = child
  }
  heap[i] = last
  return top
}
