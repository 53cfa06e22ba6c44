import type { Beginning, KeyedMatcher, Part } from '../../cep/index.ts'
import type { ColdRows } from './cold-rows.ts'

/** An event that has begun matches, until its row lies in the database. */
export interface Fresh {
  readonly state: KeyState
  readonly chunk: number
  readonly beginning: Beginning
  readonly ts: number
  readonly value: unknown
  /** The epoch whose row it is. */
  readonly epoch: number
  /** Ended, or taken by a matcher, before that. */
  dropped: boolean
}

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
  /** Chunks of matches that have begun apart from the matcher. */
  begun: readonly ColdRows[] | null = null
  /** Up to when those end that began before others of `begun` were known. */
  handedUntil = Number.NEGATIVE_INFINITY
  /** Those of them that may not be in the database yet, oldest first. */
  fresh: Fresh[] | null = null
  /** Partial matches that began since one did anything else. */
  lull = 0
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
  stale: number[] | null = null
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

  /** It has no partial matches. */
  get empty(): boolean {
    return this.matcher === null && !this.isCold && this.begun === null
  }

  /** Partial matches, counted. */
  get live(): number {
    const { matcher, cold, rows, begun } = this
    let live = matcher === null ? 0 : matcher.livePartials
    if (begun !== null) for (const { count } of begun) live += count
    if (cold !== null) for (const { count } of cold) live += count
    if (rows !== null) for (const { count } of rows) live += count
    return live
  }

  get stored(): boolean {
    return this.headStored || this.chunks !== null || this.stale !== null
  }

  /** When time must be moved for some part; those that have begun apart have a line of their own. */
  get due(): number {
    const { matcher } = this
    const due = this.coldDue
    return matcher === null ? due : Math.min(due, matcher.nextDue())
  }

  /** The same, of what is not in memory. */
  get coldDue(): number {
    const { cold, rows } = this
    let due = Number.POSITIVE_INFINITY
    if (cold !== null) for (let i = 0; i < cold.length; i++) due = Math.min(due, (cold[i] as ColdPart).due)
    if (rows !== null) for (let i = 0; i < rows.length; i++) due = Math.min(due, (rows[i] as ColdRows).due)
    return due
  }

  /** When time must be moved for those that have begun apart. */
  get begunDue(): number {
    const { begun } = this
    let due = Number.POSITIVE_INFINITY
    if (begun !== null) for (let i = 0; i < begun.length; i++) due = Math.min(due, (begun[i] as ColdRows).due)
    return due
  }

  /** The rows of these chunks are to be deleted. */
  end(chunks: readonly number[]): void {
    this.stale ??= []
    for (const chunk of chunks) this.stale.push(chunk)
  }

  /** Takes out the chunks of those that began apart and rest in states that `takes` wants. */
  takeBegun(takes: (rows: ColdRows) => boolean): number[] {
    const taken = this.begun?.filter(takes) ?? []
    if (taken.length > 0) this.begun = rest(this.begun, taken)
    return taken.flatMap((rows) => rows.all())
  }

  /** Takes the numbers of cold rows out. */
  without(rows: readonly ColdRows[], parts: readonly ColdPart[]): void {
    if (rows.length > 0) this.rows = rest(this.rows, rows)
    if (parts.length > 0) this.cold = rest(this.cold, parts)
  }
}

function rest<E>(all: readonly E[] | null, taken: readonly E[]): readonly E[] | null {
  const left = (all ?? []).filter((one) => !taken.includes(one))
  return left.length === 0 ? null : left
}
