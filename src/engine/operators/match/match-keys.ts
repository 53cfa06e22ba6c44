import { DhaaraError } from '../../../errors/index.ts'
import type { PartClient, PartTable, Sealer } from '../../../state/stores/index.ts'
import {
  type CompiledMatcher,
  type EventCodec,
  type Head,
  KeyedMatcher,
  type MatchSink,
  mayReact,
  offerEvent,
  readHead,
} from '../../cep/index.ts'
import type { Counter } from '../operator.ts'
import { Alarms, KeyState } from './key-state.ts'

/** Bytes of a matcher without events, and bytes in memory for one in a row. */
const MATCHER_BYTES = 1024
const SPREAD = 8
const IDLE_MATCHERS = 256

/**
 * The matchers of all keys that have live state. A key without partial matches costs nothing: its events are offered to a
 * spare matcher, which becomes the key's own if it took one.
 *
 * Matchers that were not used for long go to sleep when memory runs short. What an event may do to a sleeping key is
 * decided from the states that its runs rest in; only if it may do something, the key's rows are read.
 */
export class MatchKeys implements PartClient {
  private readonly compiled: CompiledMatcher
  private readonly table: PartTable
  private readonly codec: EventCodec
  private readonly sink: MatchSink
  private readonly partials: Counter
  private readonly states = new Map<string | number, KeyState>()
  private readonly alarms = new Alarms()
  private readonly idle: KeyedMatcher[] = []
  private spare: KeyedMatcher
  private changed: KeyState[] = []
  private readonly sealed: { epoch: number; states: readonly KeyState[] }[] = []
  private weight = 0
  private hand: IterableIterator<KeyState> | undefined
  private shapeStored: boolean

  /** @param partials counts live partial matches */
  constructor(compiled: CompiledMatcher, table: PartTable, codec: EventCodec, sink: MatchSink, partials: Counter) {
    this.compiled = compiled
    this.table = table
    this.codec = codec
    this.sink = sink
    this.partials = partials
    this.spare = this.make()
    this.shapeStored = this.checkShape()
    for (const [key, row] of table.heads()) this.resume(key, readHead(row))
  }

  /** Keys with live state. */
  get size(): number {
    return this.states.size
  }

  /** When time must be moved for some key; may be too early. */
  get nextDue(): number {
    return this.alarms.next
  }

  /** Moves the key's time to `ts`, then offers the event. @throws what a condition throws: then the event changed nothing */
  offer(key: unknown, value: unknown, ts: number): void {
    const id = this.table.space.keys.id(key)
    const state = this.states.get(id)
    if (state === undefined) {
      this.begin(key, id, undefined, value, ts)
      return
    }
    state.used = true
    let { matcher } = state
    if (matcher === null) {
      if (state.head === null) {
        this.begin(key, id, state, value, ts)
        return
      }
      if (!this.reacts(state.head, value, ts)) return
      matcher = this.wake(state)
    }
    let done = false
    let changed = false
    try {
      changed = matcher.process(value, ts)
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
    const due = state.matcher === null ? (state.head?.due ?? Number.POSITIVE_INFINITY) : state.matcher.nextDue()
    if (due > at) {
      this.alarms.arm(state, due)
      return
    }
    const matcher = state.matcher ?? this.wake(state)
    try {
      matcher.advance(at)
    } finally {
      this.note(state, matcher)
    }
  }

  /** Keys with live state, in the order of their bytes. */
  live(): unknown[] {
    const live = [...this.states.values()].filter(({ head, matcher }) => head !== null || matcher !== null)
    return live.map(({ key }) => key).sort(this.table.space.keys.compare)
  }

  /** The matcher of a key, for somebody who only looks. */
  peek(key: unknown): KeyedMatcher | undefined {
    const state = this.states.get(this.table.space.keys.id(key))
    const { matcher, head } = state ?? { matcher: null, head: null }
    if (matcher !== null || head === null) return matcher ?? undefined
    const copy = this.make()
    copy.load(head, this.table.parts(key), this.codec)
    return copy
  }

  get dirtyBytes(): number {
    return this.changed.length * MATCHER_BYTES
  }

  seal(sealer: Sealer, epoch: number): void {
    const states = this.changed.filter((state) => !state.dead)
    this.changed = []
    if (states.length === 0) return
    const { table, compiled } = this
    if (!this.shapeStored) sealer.put(table.shapeKey(), Buffer.from(compiled.shape))
    this.shapeStored = true
    const { compare } = table.space.keys
    states.sort((a, b) => compare(a.key, b.key))
    for (const state of states) {
      const { key, matcher } = state
      if (matcher !== null) sealer.put(table.headKey(key), matcher.head())
      else if (state.headStored) sealer.delete(table.headKey(key))
      state.headStored = matcher !== null
    }
    for (const state of states) this.sealChunks(state, sealer)
    this.sealed.push({ epoch, states })
  }

  written(epoch: number): void {
    while (this.sealed.length > 0 && (this.sealed[0] as { epoch: number }).epoch <= epoch) {
      const { epoch: at, states } = this.sealed.shift() as { epoch: number; states: KeyState[] }
      for (const state of states) if (state.dirty === at) state.dirty = 0
    }
    this.evict()
  }

  /** An event for a key without live state. */
  private begin(key: unknown, id: string | number, known: KeyState | undefined, value: unknown, ts: number): void {
    const { spare } = this
    let changed = true
    try {
      changed = spare.offer(value, ts)
    } finally {
      // also if it threw in the middle
      if (spare.idle) {
        if (changed) spare.reset()
      } else {
        const state = known ?? new KeyState(key, id)
        state.matcher = spare
        // rows of what the key was before are deleted or written anew
        if (state.chunks !== null) for (const chunk of state.chunks.keys()) spare.dirty.add(chunk)
        this.states.set(id, state)
        this.spare = this.idle.pop() ?? this.make()
        this.note(state, spare)
      }
    }
  }

  private reacts(head: Head, value: unknown, ts: number): boolean {
    offerEvent(value)
    const { automata } = this.compiled
    for (let i = 0; i < automata.length; i++) {
      const states = head.patterns[i]?.states ?? []
      if (mayReact(automata[i] as CompiledMatcher['automata'][number], states, ts)) return true
    }
    return false
  }

  /** After a key's matcher changed. */
  private note(state: KeyState, matcher: KeyedMatcher): void {
    const live = matcher.livePartials
    this.partials.n += live - state.partials
    state.partials = live
    const epoch = this.table.running
    if (state.dirty !== epoch) {
      state.dirty = epoch
      this.changed.push(state)
      if (this.changed.length > 2 * this.states.size + 1024) this.changed = this.changed.filter(({ dead }) => !dead)
    }
    if (matcher.idle) this.release(state, matcher)
    else this.alarms.arm(state, matcher.nextDue())
  }

  private release(state: KeyState, matcher: KeyedMatcher): void {
    matcher.reset()
    if (this.idle.length < IDLE_MATCHERS) this.idle.push(matcher)
    state.matcher = null
    state.armedAt = Number.POSITIVE_INFINITY
    this.weigh(state, 0)
    if (!state.stored) this.forget(state)
  }

  private forget(state: KeyState): void {
    state.dead = true
    this.states.delete(state.id)
  }

  private sealChunks(state: KeyState, sealer: Sealer): void {
    const { table } = this
    const { key, matcher } = state
    if (matcher === null) {
      if (state.chunks !== null) for (const chunk of state.chunks.keys()) sealer.delete(table.partKey(key, chunk))
      state.chunks = null
      this.forget(state)
      return
    }
    state.chunks ??= new Map()
    const { chunks } = state
    const rows = matcher.chunks(matcher.dirty, this.codec)
    for (const chunk of matcher.dirty) {
      const row = rows.get(chunk)
      if (row !== undefined) {
        sealer.put(table.partKey(key, chunk), row)
        chunks.set(chunk, row.length)
      } else if (chunks.delete(chunk)) sealer.delete(table.partKey(key, chunk))
    }
    matcher.dirty.clear()
    this.weigh(state, weightOf(chunks))
  }

  private wake(state: KeyState): KeyedMatcher {
    this.evict()
    const matcher = this.idle.pop() ?? this.make()
    const parts = this.table.parts(state.key)
    matcher.load(state.head as Head, parts, this.codec)
    state.chunks = new Map(parts.map(([chunk, row]) => [chunk, row.length]))
    state.matcher = matcher
    state.head = null
    this.weigh(state, weightOf(state.chunks))
    return matcher
  }

  private weigh(state: KeyState, weight: number): void {
    this.weight += weight - state.weight
    state.weight = weight
  }

  /** Second chance: a sweep spares what was used since the last one. Only what has no unwritten changes goes to sleep. */
  private evict(): void {
    const { cache } = this.table.space
    const limit = cache.allowed(this.weight)
    if (this.weight <= limit) return
    for (let looked = this.states.size * 2; looked > 0 && this.weight > limit; looked--) {
      this.hand ??= this.states.values()
      const next = this.hand.next()
      if (next.done) {
        this.hand = undefined
        continue
      }
      const state = next.value
      if (state.matcher === null || state.dirty !== 0) continue
      if (state.used) {
        state.used = false
        continue
      }
      state.head = readHead(state.matcher.head())
      state.matcher = null
      state.chunks = null
      this.weigh(state, 0)
    }
    cache.allowed(this.weight)
  }

  private resume(key: unknown, head: Head): void {
    const state = new KeyState(key, this.table.space.keys.id(key))
    state.head = head
    state.headStored = true
    for (const { count } of head.patterns) state.partials += count
    this.partials.n += state.partials
    this.states.set(state.id, state)
    this.alarms.arm(state, head.due)
  }

  private make(): KeyedMatcher {
    const matcher = new KeyedMatcher(this.compiled, this.sink)
    matcher.track()
    return matcher
  }

  private checkShape(): boolean {
    const { shape } = this.table
    if (shape === undefined) return false
    if (shape === this.compiled.shape) return true
    const cure =
      'go back to the pattern that it was made with (only conditions may change), give the step another store, or reset it'
    throw new DhaaraError(
      'DHAARA_STATE_INCOMPATIBLE',
      `The state of a match step is of another pattern: ${shape}; ${cure}`,
    )
  }
}

function weightOf(chunks: ReadonlyMap<number, number>): number {
  let bytes = 0
  for (const size of chunks.values()) bytes += size
  return MATCHER_BYTES + SPREAD * bytes
}
