import type { PartTable, Sealer } from '../../../state/stores/index.ts'
import {
  type Beginning,
  chunkOf,
  type CompiledMatcher,
  type EventCodec,
  firstOf,
  type Head,
  KeyedMatcher,
  type MatchSink,
  offerEvent,
  readHead,
} from '../../cep/index.ts'
import type { Counter } from '../operator.ts'
import { Alarms } from './alarms.ts'
import { ColdRows } from './cold-rows.ts'
import { KeyMemory } from './key-memory.ts'
import { KeyRows } from './key-rows.ts'
import { type ColdPart, KeyState } from './key-state.ts'
import { Reactions } from './reactions.ts'
import { Unwritten } from './unwritten.ts'

/** A key whose matches only begin, so many in a row, seldom needs what it began with: it is not kept in memory. */
const LULL = 4

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
  /** What the pattern as a whole allows a partial match to last, if its matches can begin without a matcher; else 0. */
  private readonly apartFor: number
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
    const alone = automata.length === 1 && this.memory.byParts && this.reactions.fits && automaton?.timed === false
    this.apartFor = alone ? automaton.within || Number.POSITIVE_INFINITY : 0
    this.spare = this.memory.matcher()
    for (const [key, row] of table.heads()) this.resume(key, readHead(row))
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
    return this.alarms.next
  }

  /** Moves the key's time to `ts`, then offers the event. @throws what a condition throws: then the event changed nothing */
  offer(key: unknown, value: unknown, ts: number): void {
    offerEvent(value)
    const { reactions, states } = this
    if (!reactions.judge(ts, states.size)) return
    const id = this.table.space.keys.id(key)
    const state = states.get(id)
    if (state === undefined || (state.matcher === null && !state.isCold)) {
      if (reactions.begins) this.begin(key, id, state, value, ts)
      return
    }
    if (!reactions.mayChange(state.resting)) return
    const { beginning } = reactions
    if (beginning === null || reactions.reacts(state.resting)) state.lull = 0
    else if (this.apartFor > 0 && this.beginApart(state, beginning, value, ts)) return
    if (state.isCold) this.warm(state, ts)
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
    if (due.length > 1) {
      const { compare } = this.table.space.keys
      due.sort((a, b) => compare(a.key, b.key))
    }
    return due
  }

  /** Moves a key's time to `at`. */
  advance(state: KeyState, at: number): void {
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

  /** Keys with live state, in the order of their bytes. */
  live(): unknown[] {
    const live = [...this.states.values()].filter(({ isCold, matcher }) => isCold || matcher !== null)
    return live.map(({ key }) => key).sort(this.table.space.keys.compare)
  }

  /** The matcher of a key, for somebody who only looks. */
  peek(key: unknown): KeyedMatcher | undefined {
    const state = this.states.get(this.table.space.keys.id(key))
    if (state === undefined) return undefined
    if (state.isCold) this.read(state, state.cold ?? [], state.rows ?? [])
    return state.matcher ?? undefined
  }

  /** @param besides bytes that are held beside the keys' */
  measure(besides: number): void {
    const { weight } = this.memory
    this.table.space.cache.tell(weight + besides, Math.min(weight, this.unwritten.bytes))
  }

  /** Lets go what there is no room for, if it is written. */
  trim(): void {
    this.memory.evict(Number.POSITIVE_INFINITY)
  }

  seal(sealer: Sealer, epoch: number): void {
    this.unwritten.seal(sealer, epoch, (state) => {
      if (state.matcher !== null) this.memory.weigh(state)
      else if (!state.isCold) this.forget(state)
    })
  }

  written(epoch: number): void {
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

  /**
   * An event that only begins a match of a key: a row of its own, which no matcher knows, if the key's state is not in
   * memory or its matches begin and begin. @returns whether it is
   */
  private beginApart(state: KeyState, beginning: Beginning, value: unknown, ts: number): boolean {
    const { cold, resting, matcher } = state
    if (cold !== null || (matcher !== null && ++state.lull <= LULL)) return false
    const { states, bits, runs } = beginning
    const chunk = matcher === null ? chunkOf(state.nextSeq - 1) + 1 : matcher.setApart()
    state.nextSeq = firstOf(chunk + 1)
    const due = ts + this.apartFor
    const rows = state.rows as ColdRows[] | null
    if (rows !== null && rows.length === 1 && (rows[0] as ColdRows).states === states)
      (rows[0] as ColdRows).add(chunk, due, runs.length)
    else {
      const all = [...(rows ?? [])]
      ColdRows.of(states, all).add(chunk, due, runs.length)
      state.rows = all
    }
    state.resting = resting | bits
    this.reactions.note(bits)
    state.partials += runs.length
    this.partials.n += runs.length
    const fresh = { chunk, beginning, ts, value, epoch: this.table.running }
    if (state.fresh === null) state.fresh = [fresh]
    else state.fresh.push(fresh)
    this.unwritten.add(state, this.states.size)
    this.alarms.arm(state, due)
    return true
  }

  /** Reads the cold parts that the event at hand may do something to; also those that end before it. */
  private warm(state: KeyState, ts: number): void {
    const { reactions, memory } = this
    if (state.coldDue <= ts) this.endCold(state, ts)
    const { cold, rows } = state
    const parts = cold?.filter((part) => !memory.byParts || part.chunks === null || reactions.reactsTo(part.states))
    this.read(state, parts ?? [], rows?.filter(({ states }) => reactions.reactsTo(states)) ?? [])
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
    const { live } = state
    this.partials.n += live - state.partials
    state.partials = live
    this.unwritten.add(state, this.states.size)
    this.alarms.arm(state, state.coldDue)
  }

  /** After a key changed. */
  private note(state: KeyState, matcher: KeyedMatcher | null): void {
    const { live } = state
    this.partials.n += live - state.partials
    state.partials = live
    this.unwritten.add(state, this.states.size)
    state.resting = this.restingOf(state)
    const over = matcher === null || matcher.idle
    if (over && matcher !== null) this.retire(state, matcher)
    if (!over || state.isCold) this.alarms.arm(state, state.due)
    else this.release(state)
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

  private restingOf({ matcher, cold, rows }: KeyState): number {
    const { reactions } = this
    if (!reactions.fits) return -1
    let resting = 0
    if (matcher !== null)
      for (let i = 0; i < matcher.patterns; i++) resting |= matcher.restingBits(i) << reactions.firstOf(i)
    if (cold !== null) for (const { states } of cold) resting |= reactions.bitsOf(states)
    if (rows !== null) for (const { states } of rows) resting |= reactions.bitsOf(states)
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

  private resume(key: unknown, { nextSeq, due, count, states }: Head): void {
    const state = new KeyState(key, this.table.space.keys.id(key))
    state.cold = [{ chunks: null, due, count, states }]
    state.nextSeq = nextSeq
    state.headStored = true
    state.partials = count
    this.partials.n += state.partials
    state.resting = this.restingOf(state)
    this.states.set(state.id, state)
    this.alarms.arm(state, due)
  }
}
