import type { PartTable, Sealer } from '../../../state/stores/index.ts'
import {
  type Beginning,
  type CompiledMatcher,
  type EventCodec,
  type Head,
  KeyedMatcher,
  type MatchSink,
  offerEvent,
  readHead,
} from '../../cep/index.ts'
import type { Counter } from '../operator.ts'
import { Alarms } from './alarms.ts'
import { BegunRows } from './begun-rows.ts'
import type { ColdRows } from './cold-rows.ts'
import { KeyMemory } from './key-memory.ts'
import { KeyRows } from './key-rows.ts'
import { type ColdPart, KeyState } from './key-state.ts'
import { Reactions } from './reactions.ts'
import { Unwritten } from './unwritten.ts'

/** A key whose matches only begin, so many in a row, seldom needs what it began with: it is not kept in memory. */
const LULL = 4
/** An event whose row is not written yet, roughly. */
const FRESH_BYTES = 512

/**
 * The matchers of all keys that have live state. A key without partial matches costs nothing: its events are offered to a
 * spare matcher, which becomes the key's own if it took one.
 *
 * Keys that were not used for long leave memory when it runs short. What an event may do to their partial matches is
 * decided from the states that these rest in. Only if it may do something, those parts of the key's state are read that
 * it may do something to; an event that begins a match reads nothing. Skip strategies and `maxPartials` compare all of a
 * key's partial matches: with them a key is read as a whole.
 */
export class MatchKeys {
  private readonly table: PartTable
  private readonly partials: Counter
  private readonly states = new Map<string | number, KeyState>()
  private readonly alarms = new Alarms()
  private readonly reactions: Reactions
  private readonly memory: KeyMemory
  private readonly rows: KeyRows
  private readonly unwritten: Unwritten
  /** Nobody hears of partial matches that end with their window. */
  private readonly quiet: boolean
  private readonly begun: BegunRows
  /** Matches can begin apart from a matcher. */
  private readonly apart: boolean
  private spare: KeyedMatcher
  private reads = 0

  /** @param partials counts live partial matches */
  constructor(compiled: CompiledMatcher, table: PartTable, codec: EventCodec, sink: MatchSink, partials: Counter) {
    const { automata, timeouts } = compiled
    this.table = table
    this.partials = partials
    this.reactions = new Reactions(compiled)
    this.memory = new KeyMemory(compiled, table.space.cache, this.reactions.fits, () => {
      const matcher = new KeyedMatcher(compiled, sink)
      matcher.track()
      return matcher
    })
    this.rows = new KeyRows(compiled, table, codec)
    this.unwritten = new Unwritten(table, this.rows)
    this.quiet = !timeouts && automata.every(({ states }) => !states.some(({ pending }) => pending))
    const [automaton] = automata
    this.apart = automata.length === 1 && this.memory.byParts && this.reactions.fits && automaton?.timed === false
    this.begun = new BegunRows(table, codec, automaton?.within || Number.POSITIVE_INFINITY)
    this.spare = this.memory.matcher()
    for (const [key, row] of table.heads()) this.resume(key, readHead(row))
    this.resumeBegun()
  }

  /** Keys with live state. */
  get size(): number {
    return this.states.size
  }

  /** Partial matches of all keys. */
  get livePartials(): number {
    let live = 0
    for (const { partials } of this.states.values()) live += partials
    return live
  }

  /** Times that are held for keys. */
  get alarmCount(): number {
    return this.alarms.size
  }

  /** When time must be moved for some key; may be too early. */
  get nextDue(): number {
    const { next } = this.alarms
    const { nextDue } = this.begun
    return next < nextDue ? next : nextDue
  }

  /** Moves the key's time to `ts`, then offers the event. @throws what a condition throws: then the event changed nothing */
  offer(key: unknown, value: unknown, ts: number): void {
    offerEvent(value)
    const { reactions, states } = this
    if (!reactions.judge(ts, states.size)) return
    const id = this.table.space.keys.id(key)
    const state = states.get(id)
    if (state === undefined || state.empty) {
      if (reactions.begins) this.begin(key, id, state, value, ts)
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

  /** Keys with live state, in the order of their bytes. */
  live(): unknown[] {
    const live = [...this.states.values()].filter(({ empty }) => !empty)
    return live.map(({ key }) => key).sort(this.table.space.keys.compare)
  }

  /** The matcher of a key, for somebody who only looks; without matches that have begun apart. */
  peek(key: unknown): KeyedMatcher | undefined {
    const state = this.states.get(this.table.space.keys.id(key))
    if (state === undefined) return undefined
    if (state.isCold) this.read(state, state.cold ?? [], state.rows ?? [])
    return state.matcher ?? undefined
  }

  /** Rows of a key's matches that have begun apart. */
  begunOf(key: unknown): [chunk: number, row: Uint8Array][] {
    const state = this.states.get(this.table.space.keys.id(key))
    return state === undefined ? [] : this.begun.rowsOf(state)
  }

  /** @param besides bytes that are held beside the keys' */
  measure(besides: number): void {
    const { weight } = this.memory
    const fresh = this.begun.waiting * FRESH_BYTES
    this.table.space.cache.tell(weight + fresh + besides, Math.min(weight, this.unwritten.bytes) + fresh)
  }

  /** Lets go what there is no room for, if it is written. */
  trim(): void {
    this.memory.evict(Number.POSITIVE_INFINITY)
  }

  seal(sealer: Sealer, epoch: number): void {
    this.begun.seal(sealer, epoch)
    this.unwritten.seal(sealer, epoch, (state) => {
      if (state.matcher !== null) this.memory.weigh(state)
      else if (state.empty) this.forget(state)
    })
  }

  written(epoch: number): void {
    this.begun.written(epoch)
    this.unwritten.written(epoch)
    this.trim()
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

  /** Moves chunks that had begun apart into the key's matcher. */
  private moveIn(state: KeyState, chunks: readonly number[]): void {
    if (chunks.length === 0) return
    if (state.matcher === null) this.load(state, [])
    this.begun.move(state, chunks, state.matcher as KeyedMatcher)
    this.unwritten.add(state, this.states.size)
    this.alarms.arm(state, state.due)
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

  /** After cold rows of a key ended: what it rests in may have become less, which does no harm. */
  private noteRows(state: KeyState): void {
    this.recount(state)
    this.unwritten.add(state, this.states.size)
    this.alarms.arm(state, state.coldDue)
  }

  private recount(state: KeyState): void {
    const { live } = state
    this.partials.n += live - state.partials
    state.partials = live
  }

  /** After a key changed. */
  private note(state: KeyState, matcher: KeyedMatcher | null): void {
    this.recount(state)
    this.unwritten.add(state, this.states.size)
    state.resting = this.restingOf(state)
    const over = matcher === null || matcher.idle
    if (over && matcher !== null) this.retire(state, matcher)
    if (state.empty) this.release(state)
    else this.alarms.arm(state, state.due)
    if (state.matcher !== null) this.memory.queue(state, this.states.size)
  }

  /** Takes its matcher from a key, since it holds nothing. */
  private retire(state: KeyState, matcher: KeyedMatcher): void {
    if (state.chunks !== null) state.end([...state.chunks.keys()])
    state.chunks = null
    state.nextSeq = matcher.nextSeq
    state.matcher = null
    this.memory.retire(matcher)
    this.memory.weigh(state)
  }

  private restingOf({ matcher, cold, rows, begun }: KeyState): number {
    const { reactions } = this
    if (!reactions.fits) return -1
    let resting = 0
    if (matcher !== null)
      for (let i = 0; i < matcher.patterns; i++) resting |= matcher.restingBits(i) << reactions.firstOf(i)
    if (cold !== null) for (const { states } of cold) resting |= reactions.bitsOf(states)
    if (rows !== null) for (const { states } of rows) resting |= reactions.bitsOf(states)
    if (begun !== null) for (const { states } of begun) resting |= reactions.bitsOf(states)
    reactions.note(resting)
    return resting
  }

  /** Of a key that has no live state any more. */
  private release(state: KeyState): void {
    state.fresh = null
    this.alarms.disarm(state)
    if (!state.stored) this.forget(state)
  }

  private forget(state: KeyState): void {
    state.dead = true
    this.states.delete(state.id)
  }

  /** Takes cold parts into memory. */
  private read(state: KeyState, parts: readonly ColdPart[], rows: readonly ColdRows[]): void {
    state.without(rows, parts)
    const numbers = parts.flatMap(({ chunks }) => chunks ?? [])
    for (const row of rows) numbers.push(...row.all())
    this.load(state, parts.some(({ chunks }) => chunks === null) ? null : numbers)
  }

  /** @param numbers of the chunks; null: all there are */
  private load(state: KeyState, numbers: readonly number[] | null): void {
    // what is in memory and what is not may change by it
    if (this.reads++ % 64 === 0) this.memory.evict(256)
    this.rows.load(state, state.matcher ?? this.memory.matcher(), numbers)
    this.memory.queue(state, this.states.size)
    this.memory.weigh(state)
  }

  private resume(key: unknown, { nextSeq, due, count, states, waiting }: Head): void {
    const state = new KeyState(key, this.table.space.keys.id(key))
    // of a key whose matches have all begun apart there is nothing else
    if (count > 0 || waiting.some((own) => own.length > 0)) state.cold = [{ chunks: null, due, count, states }]
    state.nextSeq = nextSeq
    state.headStored = true
    state.partials = count
    this.partials.n += state.partials
    state.resting = this.restingOf(state)
    this.states.set(state.id, state)
    this.alarms.arm(state, due)
  }

  private resumeBegun(): void {
    const { keys } = this.table.space
    const found = new Set<KeyState>()
    this.begun.resume((key) => {
      const state = this.states.get(keys.id(key)) as KeyState
      found.add(state)
      return state
    })
    for (const state of found) {
      this.recount(state)
      state.resting = this.restingOf(state)
      // the job may have begun to skip, or to look at the time between two steps
      if (!this.apart)
        this.moveIn(
          state,
          state.takeBegun(() => true),
        )
    }
  }
}
