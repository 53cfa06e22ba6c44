import type { KeyedMatcher, Part } from '../../cep/index.ts'
import type { ColdRows } from './cold-rows.ts'

/** Part of a key's state that is in the database only; `chunks` null: all of it, which part by part nobody knows. */
export interface ColdPart extends Omit<Part, 'chunks'> {
  readonly chunks: readonly number[] | null
}

/**
 * What is known of a key with live state. Parts of it are in memory, in the matcher; others are cold, and what is known
 * of them tells what an event has to be, or which time has to come, for them to be read. With neither, the key's rows
 * wait for the next seal to be deleted.
 */
export class KeyState {
  readonly key: unknown
  readonly id: string | number
  matcher: KeyedMatcher | null = null
  cold: readonly ColdPart[] | null = null
  /** The same, of those parts that are one chunk. */
  rows: readonly ColdRows[] | null = null
  /** States that runs rest in, as bits; -1 if they do not fit. */
  resting = -1
  /** Number of the next event, while there is no matcher. */
  nextSeq = 0
  /** When the key is looked at next, at the latest. */
  armedAt = Number.POSITIVE_INFINITY
  /** Last epoch that changed it; 0: none since it was read or written. */
  dirty = 0
  /** Touched since the last sweep of the eviction. */
  used = true
  /** Stands in line to leave memory. */
  queued = false
  /** Not in the map any more. */
  dead = false
  /** Partial matches, as last counted. */
  partials = 0
  headStored = false
  /** Sizes of those stored chunks that are in memory, if there are any. */
  chunks: Map<number, number> | null = null
  /** Chunks of what the key was before, whose rows are to be deleted or written anew. */
  stale: readonly number[] | null = null
  /** Bytes in memory, estimated. */
  weight = 0

  constructor(key: unknown, id: string | number) {
    this.key = key
    this.id = id
  }

  /** Parts of it are in the database only. */
  get isCold(): boolean {
    return this.cold !== null || this.rows !== null
  }

  /** Partial matches, counted. */
  get live(): number {
    const { matcher, cold, rows } = this
    let live = matcher === null ? 0 : matcher.livePartials
    if (cold !== null) for (const { count } of cold) live += count
    if (rows !== null) for (const { count } of rows) live += count
    return live
  }

  get stored(): boolean {
    return this.headStored || this.chunks !== null || this.stale !== null
  }

  /** When time must be moved for some part. */
  get due(): number {
    const { matcher } = this
    const due = this.coldDue
    return matcher === null ? due : Math.min(due, matcher.nextDue())
  }

  /** The same, of what is not in memory. */
  get coldDue(): number {
    const { cold, rows } = this
    let due = Number.POSITIVE_INFINITY
    if (cold !== null) for (const part of cold) if (part.due < due) due = part.due
    if (rows !== null) for (const part of rows) if (part.due < due) due = part.due
    return due
  }
}

interface Due {
  readonly at: number
  readonly state: KeyState
}

/** Keys by the time at which they are to be looked at. May hold times that are out of date: `armedAt` decides. */
export class Alarms {
  private heap: Due[] = []
  /** How many of them may be up to date, at most. */
  private armed = 0

  get next(): number {
    return this.heap.length === 0 ? Number.POSITIVE_INFINITY : (this.heap[0] as Due).at
  }

  arm(state: KeyState, at: number): void {
    if (at >= state.armedAt) return
    if (state.armedAt === Number.POSITIVE_INFINITY) this.armed++
    state.armedAt = at
    if (this.heap.length > 2 * this.armed + 1024) this.clean()
    this.push({ at, state })
  }

  disarm(state: KeyState): void {
    if (state.armedAt === Number.POSITIVE_INFINITY) return
    state.armedAt = Number.POSITIVE_INFINITY
    this.armed--
  }

  /** How many times are held, those that are out of date included. */
  get size(): number {
    return this.heap.length
  }

  private clean(): void {
    const live = this.heap.filter(({ at, state }) => !state.dead && state.armedAt === at)
    this.heap = []
    for (const due of live) this.push(due)
  }

  private push(due: Due): void {
    const { heap } = this
    const { at } = due
    let i = heap.push(due) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if ((heap[parent] as Due).at <= at) break
      heap[i] = heap[parent] as Due
      i = parent
    }
    heap[i] = due
  }

  /** The keys that are due at `at`, which are not armed any more. */
  take(at: number): KeyState[] {
    const due: KeyState[] = []
    while (this.heap.length > 0 && (this.heap[0] as Due).at <= at) {
      const { at: armed, state } = this.pop()
      if (state.dead || state.armedAt !== armed) continue
      this.disarm(state)
      due.push(state)
    }
    return due
  }

  private pop(): Due {
    const { heap } = this
    const top = heap[0] as Due
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
}
