import { type Beginning, type KeyedMatcher, offerEvent } from '../../cep/index.ts'
import type { ColdRows } from './cold-rows.ts'
import { KeyState } from './key-state.ts'
import { LiveKeys } from './live-keys.ts'
import type { Onset } from './onsets.ts'

/** A key whose matches only begin, so many in a row, seldom needs what it began with: it is not kept in memory. */
const LULL = 4

/**
 * The matchers of all keys that have live state. A key without partial matches costs nothing: an event that only begins some is
 * all that is kept of its key until another may do something to them, or an epoch is written; other events are offered to a
 * spare matcher, which becomes the key's own if it took one.
 *
 * Keys that were not used for long leave memory when it runs short. What an event may do to their partial matches is
 * decided from the states that these rest in. Only if it may do something, those parts of the key's state are read that
 * it may do something to; an event that begins a match reads nothing. Skip strategies and `maxPartials` compare all of a
 * key's partial matches: with them a key is read as a whole.
 */
export class MatchKeys extends LiveKeys {
  /** For the next key that gets live state. */
  private spare: KeyedMatcher = this.memory.matcher()

  /** Moves the key's time to `ts`, then offers the event. @throws what a condition throws: then the event changed nothing */
  offer(key: unknown, value: unknown, ts: number): void {
    offerEvent(value)
    const { reactions, onsets } = this
    if (!reactions.judge(ts, this.size)) return
    const id = this.table.space.keys.id(key)
    const onset = onsets.get(id)
    if (onset !== undefined && this.settle(onset, value, ts)) return
    const state = onset === undefined ? this.states.get(id) : this.grow(onset)
    if (state === undefined || state.empty) {
      const { begins, beginning } = reactions
      if (state === undefined && this.isOnset(beginning)) this.beginOnset(key, id, beginning, value, ts)
      else if (begins) this.begin(key, id, state, value, ts)
      return
    }
    if (!reactions.mayChange(state.resting)) return
    const { beginning } = reactions
    if (beginning === null || reactions.reacts(state.resting)) state.lull = 0
    else if (this.apart && (state.matcher === null || ++state.lull > LULL)) {
      if (state.lull === LULL + 1) this.handOver(state, beginning)
      this.beginApart(state, beginning, value, ts)
      return
    }
    if (state.matcher === null || state.isCold || state.begun !== null) this.warm(state, ts)
    const { matcher } = state
    if (matcher === null) return
    state.used = true
    let done = false
    let changed = false
    try {
      if (matcher.nextDue() <= ts) {
        changed = true
        matcher.advance(ts)
      }
      if (matcher.take(value, ts)) changed = true
      done = true
    } finally {
      if (changed || !done) this.note(state, matcher)
    }
  }

  /** Keys that are due at `at`, in the order of their bytes. */
  due(at: number): KeyState[] {
    const due = this.alarms.take(at)
    this.begun.due(at, (state) => {
      if (this.quiet) this.endBegun(state, at)
      else due.push(state)
    })
    for (let onset = this.onsets.due(at); onset !== undefined; onset = this.onsets.due(at)) {
      if (this.quiet) this.endOnset(onset)
      else due.push(this.grow(onset))
    }
    if (due.length > 1) {
      const { compare } = this.table.space.keys
      due.sort((a, b) => compare(a.key, b.key))
    }
    return due
  }

  /** Moves a key's time to `at`. */
  advance(state: KeyState, at: number): void {
    if (state.begun !== null && !this.advanceBegun(state, at)) return
    const { due } = state
    if (due > at) {
      this.alarms.arm(state, due)
      return
    }
    if (state.coldDue <= at) this.endCold(state, at)
    const { matcher } = state
    if (matcher === null && state.isCold) {
      this.noteRows(state)
      return
    }
    try {
      matcher?.advance(at)
    } finally {
      this.note(state, matcher)
    }
  }

  /** @returns whether there is something else */
  private advanceBegun(state: KeyState, at: number): boolean {
    if (!this.quiet) this.moveIn(state, this.begun.dueOf(state, at))
    else if (state.begunDue <= at) this.endBegun(state, at)
    const { begunDue } = state
    if (begunDue <= state.handedUntil) this.alarms.arm(state, begunDue)
    return state.matcher !== null || state.isCold
  }

  /** What an event does to matches that have only begun. @returns false: there has to be a matcher */
  private settle(onset: Onset, value: unknown, ts: number): boolean {
    const { reactions } = this
    const { bits } = onset.beginning
    if (!reactions.mayChange(bits)) return true
    if (!reactions.ends(bits) || this.onsets.dueOf(onset) <= ts) return false
    const { begins, beginning } = reactions
    if (begins && !this.isOnset(beginning)) return false
    this.endOnset(onset)
    if (this.isOnset(beginning)) this.beginOnset(onset.key, onset.id, beginning, value, ts)
    return true
  }

  private isOnset(beginning: Beginning | null): beginning is Beginning {
    return beginning !== null && beginning.runs.length <= this.mostAtOnset
  }

  private beginOnset(key: unknown, id: string | number, beginning: Beginning, value: unknown, ts: number): void {
    this.onsets.begin(key, id, beginning, value, ts)
    this.reactions.note(beginning.bits)
    this.partials.n += beginning.runs.length
  }

  /** An event for a key without live state. */
  private begin(key: unknown, id: string | number, known: KeyState | undefined, value: unknown, ts: number): void {
    const { spare } = this
    let changed = true
    try {
      changed = spare.take(value, ts)
    } finally {
      // also if it threw in the middle
      if (spare.idle) {
        if (changed) spare.reset()
      } else {
        const state = known ?? new KeyState(key, id)
        state.matcher = spare
        this.states.set(id, state)
        this.spare = this.memory.matcher()
        this.note(state, spare)
      }
    }
  }

  /** An event that only begins a match of a key which is not in memory, or whose matches begin and begin. */
  private beginApart(state: KeyState, beginning: Beginning, value: unknown, ts: number): void {
    const { bits, runs } = beginning
    this.begun.begin(state, beginning, value, ts)
    state.resting |= bits
    this.reactions.note(bits)
    state.partials += runs.length
    this.partials.n += runs.length
    if (!state.headStored) this.unwritten.add(state, this.states.size)
  }

  /** What a key's matcher holds has begun and done nothing since: the key can do without one. */
  private handOver(state: KeyState, beginning: Beginning): void {
    const { matcher } = state
    if (matcher === null || state.isCold || !this.begun.takeOver(state, matcher, beginning)) return
    this.retire(state, matcher)
    this.unwritten.add(state, this.states.size)
    this.alarms.arm(state, state.begunDue)
  }

  /** Those of a key that have begun apart and whose time is over, if nobody hears of it. */
  private endBegun(state: KeyState, at: number): void {
    this.begun.expire(state, at)
    this.recount(state)
    if (!state.empty) return
    this.unwritten.add(state, this.states.size)
    this.release(state)
  }

  /** Reads the cold parts that the event at hand may do something to; also those that end before it. */
  private warm(state: KeyState, ts: number): void {
    const { reactions, memory } = this
    if (state.coldDue <= ts) this.endCold(state, ts)
    const { cold, rows } = state
    const parts = cold?.filter((part) => !memory.byParts || part.chunks === null || reactions.reactsTo(part.states))
    const reacting = ({ states }: ColdRows): boolean => reactions.reactsTo(states)
    if (cold !== null || rows !== null || state.matcher === null)
      this.read(state, parts ?? [], rows?.filter(reacting) ?? [])
    this.moveIn(state, state.takeBegun(reacting))
  }

  /** What ends at or before `at` and is not in memory: ends it, if nobody hears of it; else reads it. */
  private endCold(state: KeyState, at: number): void {
    const { cold, rows } = state
    if (rows !== null) {
      const gone: number[] = []
      for (const row of rows) {
        if (row.due > at) continue
        if (this.quiet) row.expire(at, gone)
        else this.load(state, row.takeDue(at))
      }
      if (gone.length > 0) state.end(gone)
      const over = rows.filter((row) => row.empty)
      if (over.length > 0) state.without(over, [])
    }
    const due = cold?.filter((part) => part.due <= at) ?? []
    if (due.length > 0) this.read(state, due, [])
  }
}
