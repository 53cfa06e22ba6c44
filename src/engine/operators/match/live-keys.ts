import type { PartTable, Sealer } from '../../../state/stores/index.ts'
import {
  type CompiledMatcher,
  type EventCodec,
  type Head,
  KeyedMatcher,
  type MatchSink,
  readHead,
} from '../../cep/index.ts'
import type { Counter } from '../operator.ts'
import { Alarms } from './alarms.ts'
import { BegunRows } from './begun-rows.ts'
import type { ColdRows } from './cold-rows.ts'
import { KeyMemory } from './key-memory.ts'
import { KeyRows } from './key-rows.ts'
import { type Onset, Onsets } from './onsets.ts'
import { type ColdPart, KeyState } from './key-state.ts'
import { Reactions } from './reactions.ts'
import { Unwritten } from './unwritten.ts'

/** An event whose row is not written yet, roughly. */
const FRESH_BYTES = 512

/**
 * The keys that have live state: what is known of each, what of it is in memory, when it is looked at next, and what is to
 * be written of it.
 */
export class LiveKeys {
  protected readonly table: PartTable
  protected readonly partials: Counter
  protected readonly states = new Map<string | number, KeyState>()
  protected readonly alarms = new Alarms()
  protected readonly reactions: Reactions
  protected readonly memory: KeyMemory
  private readonly rows: KeyRows
  protected readonly unwritten: Unwritten
  /** Nobody hears of partial matches that end with their window. */
  protected readonly quiet: boolean
  protected readonly begun: BegunRows
  /** Matches can begin apart from a matcher. */
  protected readonly apart: boolean
  protected readonly onsets: Onsets
  /** So many matches can begin by one event before there is a matcher; 0: none can. */
  protected readonly mostAtOnset: number
  private reads = 0

  /** @param partials counts live partial matches */
  constructor(compiled: CompiledMatcher, table: PartTable, codec: EventCodec, sink: MatchSink, partials: Counter) {
    const { automata, timeouts, limits } = compiled
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
    const alike = automata.length === 1 && this.reactions.fits && automaton?.timed === false
    const lasts = automaton?.within || Number.POSITIVE_INFINITY
    this.apart = alike && this.memory.byParts
    this.begun = new BegunRows(table, codec, lasts)
    this.mostAtOnset = alike ? limits.maxPartials : 0
    this.onsets = new Onsets(lasts)
    for (const [key, row] of table.heads()) this.resume(key, readHead(row))
    this.resumeBegun()
  }

  /** Keys with live state. */
  get size(): number {
    return this.states.size + this.onsets.size
  }

  /** Partial matches of all keys. */
  get livePartials(): number {
    let live = this.onsets.partials
    for (const { partials } of this.states.values()) live += partials
    return live
  }

  /** Times that are held for keys. */
  get alarmCount(): number {
    return this.alarms.size + this.begun.inLine + this.onsets.inLine
  }

  /** When time must be moved for some key; may be too early. */
  get nextDue(): number {
    return Math.min(this.alarms.next, this.begun.nextDue, this.onsets.nextDue)
  }

  /** Keys with live state, in the order of their bytes. */
  live(): unknown[] {
    const live = [...this.states.values()].filter(({ empty }) => !empty)
    return [...live, ...this.onsets.all()].map(({ key }) => key).sort(this.table.space.keys.compare)
  }

  /** The matcher of a key, for somebody who only looks; without matches that have begun apart. */
  peek(key: unknown): KeyedMatcher | undefined {
    const id = this.table.space.keys.id(key)
    const onset = this.onsets.get(id)
    const state = onset === undefined ? this.states.get(id) : this.grow(onset)
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
    const fresh = (this.begun.waiting + this.onsets.size) * FRESH_BYTES
    this.table.space.cache.tell(weight + fresh + besides, Math.min(weight, this.unwritten.bytes) + fresh)
  }

  /** Lets go what there is no room for, if it is written. */
  trim(): void {
    this.memory.evict(Number.POSITIVE_INFINITY)
  }

  seal(sealer: Sealer, epoch: number): void {
    for (const onset of this.onsets.all()) this.grow(onset, epoch)
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

  /** Moves chunks that had begun apart into the key's matcher. */
  protected moveIn(state: KeyState, chunks: readonly number[]): void {
    if (chunks.length === 0) return
    if (state.matcher === null) this.load(state, [])
    this.begun.move(state, chunks, state.matcher as KeyedMatcher)
    this.unwritten.add(state, this.states.size)
    this.alarms.arm(state, state.due)
  }

  /** After cold rows of a key ended: what it rests in may have become less, which does no harm. */
  protected noteRows(state: KeyState): void {
    this.recount(state)
    this.unwritten.add(state, this.states.size)
    this.alarms.arm(state, state.coldDue)
  }

  protected recount(state: KeyState): void {
    const { live } = state
    this.partials.n += live - state.partials
    state.partials = live
  }

  /** Gives a key a matcher, with what has begun. @param epoch that it is written with */
  protected grow(onset: Onset, epoch = this.table.running): KeyState {
    this.endOnset(onset)
    const { key, id, beginning, value, ts } = onset
    const state = new KeyState(key, id)
    const matcher = this.memory.matcher()
    matcher.begin(beginning, value, ts)
    state.matcher = matcher
    this.states.set(id, state)
    this.note(state, matcher, epoch)
    return state
  }

  /** Nobody hears of it. */
  protected endOnset(onset: Onset): void {
    this.onsets.end(onset)
    this.partials.n -= onset.beginning.runs.length
  }

  /** After a key changed. @param epoch that it is written with */
  protected note(state: KeyState, matcher: KeyedMatcher | null, epoch = this.table.running): void {
    this.recount(state)
    this.unwritten.add(state, this.states.size, epoch)
    state.resting = this.restingOf(state)
    const over = matcher === null || matcher.idle
    if (over && matcher !== null) this.retire(state, matcher)
    if (state.empty) this.release(state)
    else this.alarms.arm(state, state.due)
    if (state.matcher !== null) this.memory.queue(state, this.states.size)
  }

  /** Takes its matcher from a key, since it holds nothing. */
  protected retire(state: KeyState, matcher: KeyedMatcher): void {
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
  protected release(state: KeyState): void {
    state.fresh = null
    this.alarms.disarm(state)
    if (!state.stored) this.forget(state)
  }

  private forget(state: KeyState): void {
    state.dead = true
    this.states.delete(state.id)
  }

  /** Takes cold parts into memory. */
  protected read(state: KeyState, parts: readonly ColdPart[], rows: readonly ColdRows[]): void {
    state.without(rows, parts)
    const numbers = parts.flatMap(({ chunks }) => chunks ?? [])
    for (const row of rows) numbers.push(...row.all())
    this.load(state, parts.some(({ chunks }) => chunks === null) ? null : numbers)
  }

  /** @param numbers of the chunks; null: all there are */
  protected load(state: KeyState, numbers: readonly number[] | null): void {
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
